/* The naive state machine: what it says; see model.h. */
#include "lib/model_parts.h"

#include <assert.h>
#include <string.h>

struct output *model_say(struct model *m, struct output output)
{
	assert(m->outputs_len < MODEL_OUTPUTS);
	output.index = m->index;
	m->outputs[m->outputs_len] = output;
	return &m->outputs[m->outputs_len++];
}

void model_attach(struct model *m, struct output *output, const char *name,
		  const struct model_bytes *bytes)
{
	size_t at = (size_t)(output - m->outputs);

	if (name) {
		memcpy(m->names[at], name, MODEL_NAME);
		output->name = (const uint8_t *)m->names[at];
		output->name_len = strlen(name);
	}
	if (bytes) {
		m->kept[at] = *bytes;
		output->bytes = m->kept[at].at;
		output->bytes_len = bytes->len;
	}
}

struct output *model_say_request(struct model *m, const struct model_request *r,
				 enum output_kind kind, int status)
{
	const struct model_session *s =
		model_session(m, r->record.request.session);

	return model_say(m, (struct output){ .kind = kind,
					     .status = status,
					     .node = s->node,
					     .session = s->id,
					     .seq = r->record.request.seq,
					     .stamp = m->now });
}

struct output *model_answer(struct model *m, const struct op *op, int status)
{
	return model_say(m, (struct output){ .kind = OUTPUT_ANSWER,
					     .op = op->kind,
					     .status = status,
					     .node = op->node,
					     .session = op->session,
					     .seq = op->seq,
					     .stamp = m->now });
}

void model_say_hold(struct model *m, const struct model_request *r,
		    enum change change, int status)
{
	const struct model_session *s =
		model_session(m, r->record.request.session);

	for (size_t i = 0; i < r->parts_len; i++)
		model_attach(
			m,
			model_say(m,
				  (struct output){
					  .kind = OUTPUT_CHANGED,
					  .change = change,
					  .status = status,
					  .session = s->id,
					  .seq = r->parts[i].mode,
					  .token = r->record.request.token + i,
					  .stamp = m->now,
					  .by = s->node }),
			r->parts[i].name, &r->shown);
}

/* `seq`: is it a counter? */
void model_say_value(struct model *m, const struct model_value *v,
		     uint64_t node, enum change change)
{
	struct output *o =
		model_say(m, (struct output){ .kind = OUTPUT_CHANGED,
					      .change = change,
					      .session = v->session,
					      .seq = v->counter,
					      .token = v->version,
					      .stamp = m->now,
					      .by = node,
					      .number = (uint64_t)v->number });

	model_attach(m, o, v->name, change == CHANGE_PUT ? &v->bytes : NULL);
}

void model_say_revoked(struct model *m, const struct model_request *r)
{
	struct output *o = model_say_request(m, r, OUTPUT_REVOKED, 0);

	o->token = r->record.request.token;
	o->deadline = r->record.request.revoke.at;
	o->number = r->record.request.revoke.noted_at;
	o->by = r->record.request.revoke.by;
	model_attach(m, o, NULL, &r->reason);
}
