#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/command.h"

#define PATH_BYTES_MAX 4096

static char *join(const char *folder, const char *name)
{
	struct text text;
	text_init(&text, PATH_BYTES_MAX);
	text_addf(&text, "%s%s", folder, name);
	return text_take(&text);
}

char *cli_default_socket(void)
{
	const char *host = getenv("DROVER_HOST");
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	const char *home = getenv("HOME");
	if (host && *host)
		return base_strdup(host);
	if (geteuid() == 0)
		return base_strdup("/run/drover/drover.sock");
	if (runtime_dir && *runtime_dir)
		return join(runtime_dir, "/drover/drover.sock");
	return join(home ? home : "/tmp", "/.local/state/drover/drover.sock");
}

char *cli_default_data_dir(void)
{
	const char *home = getenv("HOME");
	if (geteuid() == 0)
		return base_strdup("/var/lib/drover");
	return join(home ? home : "/tmp", "/.local/share/drover");
}
