/* The replicated limits as bytes; see limits.h. */
#include "codec/limits.h"

#include "codec/field.h"

uint8_t *limits_put(uint8_t *to, const struct limits *limits)
{
#define X(name, first, least, greatest) to = put_varint(to, limits->name);
	LIMITS(X)
#undef X
	return to;
}

void limits_get(struct reader *r, struct limits *limits)
{
#define X(name, first, least, greatest) limits->name = get_varint(r);
	LIMITS(X)
#undef X
}

/* A number at or above `least`, without a warning where that is 0. */
static bool within(uint64_t v, uint64_t least, uint64_t greatest)
{
	return v >= least && v <= greatest;
}

bool limits_in_bounds(const struct limits *limits)
{
#define X(name, first, least, greatest)                 \
	if (!within(limits->name, (least), (greatest))) \
		return false;
	LIMITS(X)
#undef X
	return true;
}
