/* Parts of compose_print(). Private to this folder. */
#ifndef COMPOSE_PRINT_H
#define COMPOSE_PRINT_H

#include "compose/yaml_write.h"
#include "job/job.h"

/* Nothing for NULL and for 0. */
void print_string(struct yaml_out *out, const char *key, const char *value);
void print_written(struct yaml_out *out, const char *key, int64_t number);

/* The keys of a service; nothing for NULL. */
void print_tuning(struct yaml_out *out, const struct tuning *tuning);
void print_extras(struct yaml_out *out, const struct extras *extras);
void print_probe(struct yaml_out *out, const struct probe *probe); /* the key of x-drover */
void print_isolation(struct yaml_out *out, const struct isolation *isolation);

/* The keys of networks.*; nothing for NULL. */
void print_endpoint(struct yaml_out *out, const struct endpoint_settings *endpoint);

/* The key of a network; nothing for NULL. */
void print_ipam(struct yaml_out *out, const struct ipam *ipam);

/* The list of a deploy.resources.reservations.devices. */
void print_device_requests(struct yaml_out *out, const struct isolation *isolation);

#endif
