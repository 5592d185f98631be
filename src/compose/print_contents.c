/* Configs and secrets as a Compose file: where their bytes come from. Of a secret nothing else is ever printed. */
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/check.h"
#include "compose/print.h"

static void print_use(struct yaml_out *out, int kind, const struct content_use *use)
{
	char number[24];
	int64_t mode = use->mode ? use->mode : CONTENT_MODE_DEFAULT;
	_cleanup_free_ char *target = content_use_target(kind, use);
	yaml_open_item(out);
	yaml_string(out, "source", use->source);
	yaml_string(out, "target", target);
	yaml_string(out, "uid", text_print(number, sizeof(number), "%lld", (long long)use->uid));
	yaml_string(out, "gid", text_print(number, sizeof(number), "%lld", (long long)use->gid));
	yaml_string(out, "mode",
		    text_print(number, sizeof(number), "0%d%d%d", (int)(mode >> 6 & 7),
			       (int)(mode >> 3 & 7), (int)(mode & 7)));
	yaml_close_item(out);
}

void print_content_uses(struct yaml_out *out, const struct job_spec *spec)
{
	if (spec->configs.n)
		yaml_open(out, "configs");
	for (size_t i = 0; i < spec->configs.n; i++)
		print_use(out, CONTENT_CONFIG, &spec->configs.items[i]);
	if (spec->configs.n)
		yaml_close(out);
	if (spec->secrets.n)
		yaml_open(out, "secrets");
	for (size_t i = 0; i < spec->secrets.n; i++)
		print_use(out, CONTENT_SECRET, &spec->secrets.items[i]);
	if (spec->secrets.n)
		yaml_close(out);
}

static void print_content(struct yaml_out *out, const struct content_request *content)
{
	char *bytes = NULL;
	size_t len = 0;
	yaml_open(out, content->key);
	if (content->name)
		yaml_string(out, "name", content->name);
	if (content->origin != CONTENT_INLINE) {
		yaml_string(out, enum_name(content_origin_names, content->origin),
			    content->origin_name);
	} else {
		if (!base64_decode(content->data, &bytes, &len))
			UNREACHABLE("it was encoded when it was read");
		yaml_string(out, "content", bytes);
		base_free(bytes);
	}
	yaml_bool(out, "external", false);
	yaml_pairs(out, "labels", &content->labels);
	yaml_close(out);
}

void print_contents(struct yaml_out *out, const struct project_request *request)
{
	if (request->configs.n)
		yaml_open(out, "configs");
	for (size_t i = 0; i < request->configs.n; i++)
		print_content(out, &request->configs.items[i]);
	if (request->configs.n)
		yaml_close(out);
	if (request->secrets.n)
		yaml_open(out, "secrets");
	for (size_t i = 0; i < request->secrets.n; i++)
		print_content(out, &request->secrets.items[i]);
	if (request->secrets.n)
		yaml_close(out);
}
