/* Parts of compose_print(). Private to this folder. */
#ifndef COMPOSE_PRINT_H
#define COMPOSE_PRINT_H

#include "compose/yaml_write.h"
#include "job/job.h"

/* Docker's name: the written one, else PROJECT_KEY. */
void print_resource_name(struct yaml_out *out, const char *project, const char *key,
			 const char *name);

/* Nothing for NULL and for 0. */
void print_string(struct yaml_out *out, const char *key, const char *value);
void print_written(struct yaml_out *out, const char *key, int64_t number);

/* The keys of a service; NULL: nothing is written. */
void print_tuning(struct yaml_out *out, const struct tuning *written);
void print_extras(struct yaml_out *out, const struct extras *written);
void print_hooks(struct yaml_out *out, const struct hooks *hooks);
void print_probe(struct yaml_out *out, const struct probe *probe); /* the key of x-drover */
void print_isolation(struct yaml_out *out, const struct isolation *isolation);

/* The keys of networks.*; NULL: nothing is written. */
void print_endpoint(struct yaml_out *out, const struct endpoint_settings *written);

/* The key of a network; NULL: nothing is written. */
void print_ipam(struct yaml_out *out, const struct ipam *written);

/* The keys of a service that begin as `configs` and `secrets`, and those of the top level. */
void print_content_uses(struct yaml_out *out, const struct job_spec *spec);
void print_contents(struct yaml_out *out, const struct project_request *request);

/* The list of a deploy.resources.reservations.devices. */
void print_device_requests(struct yaml_out *out, const struct isolation *isolation);

#endif
