/* Memory through one function, so that tests can make any allocation fail. */
#ifndef HF_BASE_MEM_H
#define HF_BASE_MEM_H

#include <stddef.h>

struct mem { /* all zero: realloc and free of the C library */
	/* As realloc; len 0 frees and returns NULL. */
	void *(*resize)(void *ctx, void *ptr, size_t len);
	void *ctx;
};

/* NULL: out of memory. mem_zalloc's bytes are zero. `mem` NULL: as all zero. */
void *mem_alloc(const struct mem *mem, size_t len);
void *mem_zalloc(const struct mem *mem, size_t len);
void *mem_resize(const struct mem *mem, void *ptr, size_t len);
void mem_free(const struct mem *mem, void *ptr);

#endif
