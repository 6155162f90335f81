/* What has been, of values: against what users are told. See ledger.h. */
#include "sim/lib/ledger.h"

/* Was it as `holds` says at some time since `from`? */
static bool was(const struct ledger *l, unsigned name, uint64_t from,
		bool (*so)(const struct ledger_value *v, const void *ctx),
		const void *ctx)
{
	static const struct ledger_value none;

	for (size_t i = l->changes_len; i > 0; i--) {
		const struct ledger_change *c = &l->changes[i - 1];
		if (c->name != name)
			continue;
		if (so(&c->value, ctx))
			return true;
		if (c->at < from)
			return false;
	}
	return so(&none, ctx);
}

static bool has_version(const struct ledger_value *v, const void *ctx)
{
	return v->version == *(const uint64_t *)ctx;
}

bool ledger_had(const struct ledger *l, unsigned name, uint64_t version,
		uint64_t from)
{
	return was(l, name, from, has_version, &version);
}

static bool has_number(const struct ledger_value *v, const void *ctx)
{
	return v->number == *(const int64_t *)ctx;
}

bool ledger_counted(const struct ledger *l, unsigned name, int64_t number,
		    uint64_t from)
{
	return was(l, name, from, has_number, &number);
}

struct question {
	enum condition condition;
	int64_t number;
};

static bool meets(const struct ledger_value *v, const void *ctx)
{
	const struct question *q = ctx;

	return ledger_so(v, q->condition, q->number);
}

bool ledger_true(const struct ledger *l, unsigned name,
		 enum condition condition, int64_t number, uint64_t from)
{
	struct question q = { condition, number };

	return was(l, name, from, meets, &q);
}
