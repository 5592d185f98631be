#include <string.h>

#include "base/alloc.h"
#include "runtime/docker.h"
#include "runtime/fake.h"
#include "runtime/fault.h"

static const struct runtime_ops *const all[] = {
	&runtime_docker_ops,
	&runtime_fake_ops,
	&runtime_fault_ops,
};

const struct runtime_ops *runtime_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}
