#include "journal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void journal_name(char *name, unsigned number)
{
	snprintf(name, SOAK_NAME_LEN, "soak/%u", number);
}

unsigned journal_keeper_name(unsigned member, unsigned keeper)
{
	return SOAK_CHURN_NAMES + member * SOAK_KEEPERS + keeper;
}

/* Returns what was there. */
static uint64_t raise_to(_Atomic(uint64_t) *largest, uint64_t value)
{
	uint64_t before = atomic_load(largest);

	while (before < value &&
	       !atomic_compare_exchange_weak(largest, &before, value))
		;
	return before;
}

void journal_granted(struct journal *j, unsigned name, uint64_t token,
		     uint32_t safe_ms)
{
	uint64_t before = raise_to(&j->names[name].granted, token);

	/* Only a hold whose lease is over may come late. */
	if (token <= before && safe_ms > 0)
		journal_lost(j, "soak/%u: granted %" PRIu64 " after %" PRIu64,
			     name, token, before);
	j->acknowledged++;
}

void journal_released(struct journal *j, unsigned name, uint64_t token)
{
	raise_to(&j->names[name].released, token);
	j->acknowledged++;
}

void journal_lost(struct journal *j, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "soak: LOST: %s\n", text);
	j->lost++;
}
