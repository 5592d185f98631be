/* The parts of job_spec_check(), by concern. Private to this folder. Every one assumes that record_check() passed. */
#ifndef JOB_SPEC_CHECK_H
#define JOB_SPEC_CHECK_H

#include "job/refuse.h"
#include "job/spec.h"

/* Names, none of them like drover's own. */
enum err_code spec_check_labels(const struct pairs *labels, struct spot spot,
				struct err *err) WARN_UNUSED;

/* Ports, mounts, networks, extra hosts, DNS servers. */
enum err_code spec_check_reach(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* Configs and secrets; they meet no mount, and no other of them. */
enum err_code spec_check_contents(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* Image, command, environment, names inside the container, signals, health check, labels, ulimits. */
enum err_code spec_check_process(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* What few jobs ask of the kernel's share. */
enum err_code spec_check_tuning(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* Terminal, names and marks. */
enum err_code spec_check_extras(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* Commands beside the container's own. */
enum err_code spec_check_hooks(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* The check that the worker makes. */
enum err_code spec_check_probe(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* What separates its containers from the machine. */
enum err_code spec_check_isolation(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* Resources, placement, dependencies. */
enum err_code spec_check_place(const struct job_spec *spec, struct err *err) WARN_UNUSED;

#endif
