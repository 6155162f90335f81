/* The memory of a machine, which runs out at times. */
#ifndef HF_SIM_VMEM_H
#define HF_SIM_VMEM_H

#include "base/mem.h"

#include <stdint.h>

struct vmem {
	struct mem mem;      /* what a process there gets */
	uint64_t fail_after; /* the so-many-th allocation from now on fails; 0:
				none */
	uint64_t burst;      /* and so many behind it */
	uint64_t failures;   /* so far */
};

void vmem_init(struct vmem *m);

#endif
