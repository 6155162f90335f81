#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void *mem_resize(const struct mem *mem, void *ptr, size_t len)
{
	if (mem && mem->resize)
		return mem->resize(mem->ctx, ptr, len);
	if (len == 0) {
		free(ptr);
		return NULL;
	}
	return realloc(ptr, len);
}

void *mem_alloc(const struct mem *mem, size_t len)
{
	return mem_resize(mem, NULL, len);
}

void *mem_zalloc(const struct mem *mem, size_t len)
{
	void *ptr = mem_alloc(mem, len);

	if (ptr)
		memset(ptr, 0, len);
	return ptr;
}

void mem_free(const struct mem *mem, void *ptr)
{
	if (ptr)
		mem_resize(mem, ptr, 0);
}
