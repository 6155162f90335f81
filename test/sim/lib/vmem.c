/* See vmem.h. */
#include "sim/lib/vmem.h"

#include <stdbool.h>
#include <stddef.h>

static bool fails(struct vmem *m)
{
	if (!m->fail_after || --m->fail_after > 0)
		return false;
	if (m->burst) {
		m->burst--;
		m->fail_after = 1;
	}
	m->failures++;
	return true;
}

static void *resize(void *ctx, void *ptr, size_t len)
{
	static const struct mem libc;

	if (len > 0 && fails(ctx))
		return NULL;
	return mem_resize(&libc, ptr, len);
}

void vmem_init(struct vmem *m)
{
	*m = (struct vmem){ .mem = { resize, m } };
}
