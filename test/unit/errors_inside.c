/* Errors that the library's parts tell each other, and that reach no caller of
 * the public interface; see test/lib/errors. */
#include "lib/machine.h"
#include "lib/seen.h"
#include "lib/suite.h"

#include "repl/batch.h"

START_TEST(a_leader_that_is_overloaded_says_so_to_the_node_which_asks_again)
{
	const struct mem mem = { 0 };
	const struct op op = { .kind = OP_ACQUIRE, .session = 7, .node = 3 };
	static const uint8_t bytes[OP_BYTES_MAX];
	struct batch b = { .mem = &mem };

	while (batch_add(&b, &op, bytes, 100, 0) == 0)
		;
	expect_error(HF_EBUSY, batch_add, &b, &op, bytes, 100, 0);
	batch_clear(&b);
}
END_TEST

START_TEST(a_copy_that_comes_after_its_answer_was_acknowledged_is_stale)
{
	struct machine m;

	machine_init(&m, 1);
	uint64_t s = machine_open(&m, 1, 1000 * SECOND);
	struct op op = machine_acquire_op(&m, 1, s, "a", 0);
	ck_assert_int_eq(machine_do(&m, &op), 0);
	ck_assert_int_eq(machine_release(&m, 1, s, m.answer.token), 0);
	op.low = 3;
	expect_error(HF_ESTALE, machine_do, &m, &op);
	machine_end(&m);
}
END_TEST

SUITE(a_leader_that_is_overloaded_says_so_to_the_node_which_asks_again,
      a_copy_that_comes_after_its_answer_was_acknowledged_is_stale)
