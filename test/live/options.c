/* What hf_open says of options and directories that won't do. */
#include "live/lib/peer.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A row changes the options of node 1 of 3, which are right. */
struct row {
	const char *word; /* that the text must have: the option's name */
	void (*change)(struct hf_options *o, struct hf_member *members);
};

#define CHANGE(name, statement)                                           \
	static void name(struct hf_options *o, struct hf_member *members) \
	{                                                                 \
		(void)o, (void)members;                                   \
		statement;                                                \
	}

CHANGE(no_size, o->size = 0)
CHANGE(huge_size, o->size = SIZE_MAX)
CHANGE(no_dir, o->dir = NULL)
CHANGE(empty_dir, o->dir = "")
CHANGE(empty_cluster, o->cluster = "")
CHANGE(short_ttl, o->ttl_ms = 499)
CHANGE(rare_renewal, o->renew_ms = o->ttl_ms / 3 + 1)
CHANGE(wide_margin, o->margin_ms = o->ttl_ms / 4 + 1)
CHANGE(wild_drift, o->drift_ppm = 100001)
CHANGE(hasty_election, o->election_ms = 99)
CHANGE(no_members, o->members = NULL)
CHANGE(too_many_members, o->members_len = HF_MEMBERS_MAX + 1)
CHANGE(not_a_member, o->id = 4)
CHANGE(no_id, o->id = 0)
CHANGE(member_zero, members[1].id = 0)
CHANGE(member_twice, members[1].id = 1)
CHANGE(address_twice, members[1].address = members[2].address)
CHANGE(no_address, members[1].address = NULL)
CHANGE(no_port, members[1].address = "127.0.0.1")
CHANGE(port_zero, members[1].address = "127.0.0.1:0")
CHANGE(port_too_large, members[1].address = "127.0.0.1:65536")
CHANGE(port_with_letters, members[1].address = "127.0.0.1:80x")
CHANGE(v6_without_brackets, members[1].address = "::1:7000")
CHANGE(not_loopback, members[1].address = "192.0.2.1:7000")

static const struct row rows[] = {
	{ "size", no_size },
	{ "size", huge_size },
	{ "dir", no_dir },
	{ "dir", empty_dir },
	{ "cluster", empty_cluster },
	{ "ttl_ms", short_ttl },
	{ "renew_ms", rare_renewal },
	{ "margin_ms", wide_margin },
	{ "drift_ppm", wild_drift },
	{ "election_ms", hasty_election },
	{ "members", no_members },
	{ "members_len", too_many_members },
	{ "id", not_a_member },
	{ "id", no_id },
	{ "members[1].id", member_zero },
	{ "members[1]", member_twice },
	{ "members", address_twice },
	{ "members[1].address", no_address },
	{ "members[1].address", no_port },
	{ "members[1].address", port_zero },
	{ "members[1].address", port_too_large },
	{ "members[1].address", port_with_letters },
	{ "members[1].address", v6_without_brackets },
	{ "plain_tcp", not_loopback },
};

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

START_TEST(each_wrong_option_is_named_and_nothing_is_made)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct hf_node *node = (struct hf_node *)1;
		char error[HF_ERROR_TEXT] = "";
		struct cluster c;

		cluster_make(&c, 3);
		struct hf_options o = cluster_options(&c, 0);
		rows[i].change(&o, c.members);
		ck_assert_msg(hf_open(&node, &o, error) == HF_EINVAL,
			      "row %zu, %s: %s", i, rows[i].word, error);
		ck_assert_ptr_null(node);
		ck_assert_msg(strstr(error, rows[i].word), "row %zu, %s: %s", i,
			      rows[i].word, error);
		ck_assert(!exists(c.dirs[0]));
		cluster_remove(&c);
	}
}
END_TEST

START_TEST(the_text_may_be_left_out)
{
	struct hf_options o = { .size = sizeof(o) };
	struct hf_node *node;

	ck_assert_int_eq(hf_open(&node, &o, NULL), HF_EINVAL);
	ck_assert_ptr_null(node);
}
END_TEST

START_TEST(a_program_of_an_older_header_gets_the_defaults)
{
	struct cluster c;

	cluster_make(&c, 1);
	struct hf_options o = cluster_options(&c, 0);
	o.size = offsetof(struct hf_options, ttl_ms);
	o.ttl_ms = 1; /* beyond its size: not looked at */
	ck_assert_int_eq(hf_open(&c.nodes[0], &o, NULL), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_program_of_a_newer_header_is_served_while_it_asks_for_nothing_new)
{
	struct {
		struct hf_options now;
		uint64_t later;
	} o = { 0 };
	struct cluster c;

	cluster_make(&c, 1);
	o.now = cluster_options(&c, 0);
	o.now.size = sizeof(o);
	o.later = 1;
	ck_assert_int_eq(hf_open(&c.nodes[0], &o.now, NULL), HF_EINVAL);
	o.later = 0;
	ck_assert_int_eq(hf_open(&c.nodes[0], &o.now, NULL), 0);
	cluster_remove(&c);
}
END_TEST

/* Opening with these options gives this error, and a text with this word. */
static void refused(const struct hf_options *o, int rc, const char *word)
{
	char error[HF_ERROR_TEXT] = "";
	struct hf_node *node;
	int got = hf_open(&node, o, error);

	ck_assert_msg(got == rc, "%s: %s", hf_strerror(got), error);
	ck_assert_msg(strstr(error, word), "%s: %s", word, error);
}

START_TEST(a_directory_in_use_is_refused_in_this_process)
{
	struct cluster c;

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_options o = cluster_options(&c, 0);
	refused(&o, HF_EINUSE, c.dirs[0]);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_directory_in_use_is_refused_in_another_process)
{
	struct cluster c;
	struct peer peer;

	cluster_make(&c, 1);
	peer_start(&peer, &c, 0, 0);
	struct hf_options o = cluster_options(&c, 0);
	refused(&o, HF_EINUSE, c.dirs[0]);
	peer_kill(&peer);
	cluster_open(&c); /* the death of the other gave it back */
	cluster_remove(&c);
}
END_TEST

START_TEST(a_copied_directory_is_refused_unless_it_is_adopted)
{
	struct cluster c;
	char copy[LIVE_PATH_MAX + 32];
	struct hf_lock lock;

	cluster_make(&c, 1);
	cluster_open(&c);
	ck_assert_int_eq(hf_lock(c.nodes[0], &lock, "a", NULL, LIVE_WAIT_MS),
			 0);
	uint64_t token = hf_lock_token(&lock);
	cluster_close_node(&c, 0);
	snprintf(copy, sizeof(copy), "%s/copy", c.dir);
	live_copy(c.dirs[0], copy);
	struct hf_options o = cluster_options(&c, 0);
	o.dir = copy;
	refused(&o, HF_EIDENTITY, "adopt");
	o.adopt = true;
	ck_assert_int_eq(hf_open(&c.nodes[0], &o, NULL), 0);
	ck_assert_int_eq(hf_lock(c.nodes[0], &lock, "a", NULL, LIVE_WAIT_MS),
			 0);
	ck_assert_uint_gt(hf_lock_token(&lock), token);
	cluster_remove(&c);
}
END_TEST

START_TEST(the_directory_of_another_node_or_cluster_is_refused)
{
	struct cluster c;

	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	ck_assert_int_eq(hf_close(c.nodes[0], 0), 0);
	c.nodes[0] = NULL;
	struct hf_options o = cluster_options(&c, 1);
	o.dir = c.dirs[0];
	refused(&o, HF_EIDENTITY, "");
	o = cluster_options(&c, 0);
	o.cluster = "another";
	refused(&o, HF_EIDENTITY, "another");
	cluster_remove(&c);
}
END_TEST

START_TEST(a_damaged_identity_is_refused)
{
	struct cluster c;
	char path[LIVE_PATH_MAX + 32];

	cluster_make(&c, 1);
	cluster_open(&c);
	cluster_close_node(&c, 0);
	snprintf(path, sizeof(path), "%s/identity", c.dirs[0]);
	FILE *file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	fseek(file, 10, SEEK_SET);
	fputc('#', file);
	fclose(file);
	struct hf_options o = cluster_options(&c, 0);
	refused(&o, HF_ECORRUPT, "identity");
	cluster_remove(&c);
}
END_TEST

START_TEST(an_address_in_use_is_refused)
{
	struct cluster a, b;

	cluster_make(&a, 3);
	cluster_make(&b, 3);
	cluster_open_node(&a, 0);
	struct hf_options o = cluster_options(&b, 0);
	b.members[0].address = a.addresses[0];
	refused(&o, HF_EADDRESS, a.addresses[0]);
	cluster_remove(&a);
	cluster_remove(&b);
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_named)
{
	struct hf_options o = { .size = sizeof(o) };

	o.dir = "/proc/nowhere/at/all";
	refused(&o, HF_EIO, o.dir);
}
END_TEST

LIVE_SUITE(each_wrong_option_is_named_and_nothing_is_made,
	   the_text_may_be_left_out,
	   a_program_of_an_older_header_gets_the_defaults,
	   a_program_of_a_newer_header_is_served_while_it_asks_for_nothing_new,
	   a_directory_in_use_is_refused_in_this_process,
	   a_directory_in_use_is_refused_in_another_process,
	   a_copied_directory_is_refused_unless_it_is_adopted,
	   the_directory_of_another_node_or_cluster_is_refused,
	   a_damaged_identity_is_refused, an_address_in_use_is_refused,
	   a_directory_that_cannot_be_made_is_named)
