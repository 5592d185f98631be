#include "golden.h"

#include <string.h>

#include "base/limits.h"
#include "cluster/cluster.h"
#include "node/sync.h"
#include "worker/worker_int.h"

const struct record_type *const golden_types[] = {
	&meta_record_type,  &project_type,	 &job_type,
	&job_revision_type, &task_desired_type,	 &task_observed_type,
	&node_record_type,  &volume_record_type, &idempotency_record_type,
	&worker_meta_type,  &worker_record_type, &sync_template_type,
	&sync_up_type,	    &sync_down_type,	 &stream_request_type,
};
const size_t golden_types_n = sizeof(golden_types) / sizeof(golden_types[0]);

static void describe_names(const struct field *field, struct text *out)
{
	for (const struct enum_name *name = field->names; name && name->name; name++)
		text_addf(out, "%c%s=%d", name == field->names ? ' ' : ',', name->name,
			  name->value);
}

void golden_describe(const struct record_type *type, struct text *out)
{
	char begin[80];
	text_print(begin, sizeof(begin), "\n%s ", type->name);
	if (strstr(text_string(out), begin))
		return;
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct field *field = &type->fields[i];
		text_addf(out, "%s %s %u %d %lld %lld %lld", type->name, field->name, field->tag,
			  (int)field->kind, (long long)field->min, (long long)field->max,
			  (long long)field->initial);
		describe_names(field, out);
		if (field->type)
			text_addf(out, " %s", field->type->name);
		text_add(out, "\n");
	}
	for (size_t i = 0; i < type->n_fields; i++)
		if (type->fields[i].type)
			golden_describe(type->fields[i].type, out);
}
