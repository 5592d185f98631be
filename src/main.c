#include <malloc.h>

#include "cli/command.h"

/* glibc raises its own thresholds with what was freed once, and then keeps as much for ever: a worker 2 MB of 3. */
#define KEPT_BLOCK_BYTES (256 * 1024)
#define KEPT_TOP_BYTES	 (1024 * 1024)

int main(int argc, char **argv)
{
	mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_TOP_BYTES);
	return cli_main(argc, argv);
}
