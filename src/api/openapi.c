#include "api/openapi.h"

#include <string.h>

#include "api/routes.h"
#include "api/views.h"
#include "base/alloc.h"
#include "base/check.h"

#define SCHEMAS_MAX 128

/* Types met on the way, each printed once. */
struct schemas {
	const struct record_type *types[SCHEMAS_MAX];
	size_t n;
};

static void schemas_add(struct schemas *schemas, const struct record_type *type)
{
	for (size_t i = 0; i < schemas->n; i++)
		if (schemas->types[i] == type)
			return;
	INVARIANT(schemas->n < SCHEMAS_MAX);
	schemas->types[schemas->n++] = type;
	for (size_t i = 0; i < type->n_fields; i++)
		if (type->fields[i].type)
			schemas_add(schemas, type->fields[i].type);
}

static void print_reference(struct text *out, const char *indent, const struct record_type *type)
{
	text_addf(out, "%s$ref: '#/components/schemas/%s'\n", indent, type->name);
}

static void print_enum(struct text *out, const struct enum_name *names)
{
	text_add(out, "          type: string\n          enum: [");
	for (const struct enum_name *name = names; name->name; name++)
		text_addf(out, "%s\"%s\"", name == names ? "" : ", ", name->name);
	text_add(out, "]\n");
}

static void print_bounds(struct text *out, const struct field *field)
{
	text_add(out, "          type: integer\n          format: int64\n");
	if (field->min > INT64_MIN)
		text_addf(out, "          minimum: %lld\n", (long long)field->min);
	if (field->max < INT64_MAX)
		text_addf(out, "          maximum: %lld\n", (long long)field->max);
	if (field->initial)
		text_addf(out, "          default: %lld\n", (long long)field->initial);
}

static void print_field(struct text *out, const struct field *field)
{
	text_addf(out, "        %s:\n", field->name);
	if (field->flags & FIELD_OUTPUT)
		text_add(out, "          readOnly: true\n");
	switch (field->kind) {
	case FIELD_BOOL: text_add(out, "          type: boolean\n"); break;
	case FIELD_INT: print_bounds(out, field); break;
	case FIELD_ENUM: print_enum(out, field->names); break;
	case FIELD_STRING:
		text_addf(out,
			  "          type: string\n          nullable: true\n          maxLength: "
			  "%lld\n",
			  (long long)field->max);
		break;
	case FIELD_UUID:
		text_add(out, "          type: string\n          description: a UUID, or empty "
			      "when there is none\n");
		break;
	case FIELD_STRINGS:
		text_add(out, "          type: array\n          items: {type: string}\n");
		break;
	case FIELD_PAIRS:
		text_add(out, "          type: object\n          additionalProperties: {type: "
			      "string, nullable: true}\n");
		break;
	case FIELD_STRUCT: print_reference(out, "          ", field->type); break;
	case FIELD_STRUCTS:
		text_add(out, "          type: array\n          items:\n");
		print_reference(out, "            ", field->type);
		break;
	case FIELD_OPTIONAL:
		text_add(out, "          nullable: true\n          allOf:\n");
		print_reference(out, "            - ", field->type);
		break;
	}
}

static void print_required(struct text *out, const struct record_type *type)
{
	bool any = false;
	for (size_t i = 0; i < type->n_fields; i++) {
		if (!(type->fields[i].flags & FIELD_REQUIRED))
			continue;
		text_addf(out, "%s%s", any ? ", " : "      required: [", type->fields[i].name);
		any = true;
	}
	if (any)
		text_add(out, "]\n");
}

static void print_schema(struct text *out, const struct record_type *type)
{
	text_addf(out, "    %s:\n      type: object\n      additionalProperties: false\n",
		  type->name);
	print_required(out, type);
	text_add(out, "      properties:\n");
	for (size_t i = 0; i < type->n_fields; i++)
		if (!(type->fields[i].flags & FIELD_HIDDEN))
			print_field(out, &type->fields[i]);
}

static void print_parameter(struct text *out, const char *name, size_t len, const char *in)
{
	text_add(out, "        - {name: ");
	text_add_bytes(out, name, len);
	text_addf(out, ", in: %s, required: %s, schema: {type: string}}\n", in,
		  strcmp(in, "path") == 0 ? "true" : "false");
}

static void print_parameters(struct text *out, const struct route *route)
{
	bool mutates = route->class == ROUTE_MUTATE;
	if (!strchr(route->pattern, '{') && !route->query && !mutates)
		return;
	text_add(out, "      parameters:\n");
	for (const char *at = strchr(route->pattern, '{'); at; at = strchr(at, '{')) {
		at++;
		print_parameter(out, at, strcspn(at, "}"), "path");
	}
	for (const char *at = route->query; at && *at;) {
		size_t len = strcspn(at, " ");
		print_parameter(out, at, len, "query");
		at += len + (at[len] == ' ');
	}
	if (mutates)
		print_parameter(out, "Idempotency-Key", strlen("Idempotency-Key"), "header");
}

static const char *content_type(const struct route *route)
{
	if (strcmp(route->pattern, "/v1/events") == 0)
		return "text/event-stream";
	if (route->class == ROUTE_STREAM)
		return "application/vnd.docker.multiplexed-stream";
	return "application/json";
}

static void print_route(struct text *out, const struct route *route)
{
	static const char *const methods[][2] = { { "GET", "get" },
						  { "POST", "post" },
						  { "DELETE", "delete" } };
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i][0], route->method) == 0)
			text_addf(out, "    %s:\n", methods[i][1]);
	text_addf(out, "      summary: \"%s\"\n", route->summary);
	print_parameters(out, route);
	if (route->body_type) {
		text_add(out, "      requestBody:\n        required: true\n        content:\n"
			      "          application/json:\n            schema:\n");
		print_reference(out, "              ", route->body_type);
	}
	text_add(out, "      responses:\n");
	if (route->class == ROUTE_WORKER) {
		text_add(out, "        '101': {description: becomes a WebSocket}\n");
	} else {
		text_addf(out,
			  "        '200':\n          description: done\n          content:\n       "
			  "     %s:\n",
			  content_type(route));
		if (route->answer_type) {
			text_add(out, "              schema:\n");
			print_reference(out, "                ", route->answer_type);
		} else {
			text_add(out, "              schema: {}\n");
		}
	}
	text_add(out, "        default:\n          description: it failed\n          content:\n"
		      "            application/json:\n              schema:\n");
	print_reference(out, "                ", &error_answer_type);
}

/* All methods of a path, at the first route that has it. */
static void print_path(struct text *out, size_t first)
{
	const char *pattern = api_routes[first].pattern;
	for (size_t i = 0; i < first; i++)
		if (strcmp(api_routes[i].pattern, pattern) == 0)
			return;
	text_addf(out, "  %s:\n", pattern);
	for (size_t i = first; i < n_api_routes; i++)
		if (strcmp(api_routes[i].pattern, pattern) == 0)
			print_route(out, &api_routes[i]);
}

void openapi_print(struct text *out)
{
	struct schemas schemas = { .n = 0 };
	text_add(out, "# Made by `make openapi` from the tables in src/api; do not edit.\n"
		      "openapi: 3.0.3\ninfo:\n  title: drover\n  version: v1\n"
		      "  license: {name: Apache-2.0}\npaths:\n");
	schemas_add(&schemas, &error_answer_type);
	schemas_add(&schemas, &event_view_type);
	for (size_t i = 0; i < n_api_routes; i++) {
		const struct route *route = &api_routes[i];
		print_path(out, i);
		if (route->body_type)
			schemas_add(&schemas, route->body_type);
		if (route->answer_type)
			schemas_add(&schemas, route->answer_type);
	}
	text_add(out, "components:\n  schemas:\n");
	for (size_t i = 0; i < schemas.n; i++)
		print_schema(out, schemas.types[i]);
}
