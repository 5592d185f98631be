/* Between the files of the contract suite (runtime_contract_test.c). */
#ifndef RUNTIME_CONTRACT_TESTS_H
#define RUNTIME_CONTRACT_TESTS_H

#include "runtime/contract.h"

struct CMUnitTest;

extern const struct CMUnitTest contract_life_tests[];
extern const size_t n_contract_life_tests;
extern const struct CMUnitTest contract_world_tests[];
extern const size_t n_contract_world_tests;
extern const struct CMUnitTest contract_inside_tests[];
extern const size_t n_contract_inside_tests;

/* Which runtime is it? The daemon itself; a socket that is none. */
bool contract_is_real_docker(void);
bool contract_is_socket(void);

/* Pull and return the fault; `*ret_message` (may be NULL) is borrowed from the bench. */
int contract_pull(struct bench *bench, const char *image, int policy, const char **ret_message);
const struct container_result *contract_list(struct bench *bench, bool ended);
/* A bind mount at /here. */
void contract_add_bind(struct job_spec *spec, const char *source, bool create_host_path);

#endif
