#include "cli/command.h"

/* Read by jemalloc. One arena is enough: of each process one thread counts. */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:1";

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
