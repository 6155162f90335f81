#include "api/api.h"
#include "lib/suite.h"

#include <string.h>

static const struct hf_member three[] = { { 1, "127.0.0.1:7001" },
					  { 2, "localhost:7002" },
					  { 3, "[::1]:7003" } };

static struct hf_options good(void)
{
	return (struct hf_options){ .size = sizeof(struct hf_options),
				    .dir = "d",
				    .members = three,
				    .members_len = 3,
				    .id = 2 };
}

static char error[HF_ERROR_TEXT];
static struct hf_options checked;

/* Refused, with a text that names the option. */
static void refused(const struct hf_options *o, const char *name)
{
	error[0] = '\0';
	ck_assert_int_eq(options_check(o, &checked, error), HF_EINVAL);
	ck_assert_msg(strstr(error, name) != NULL, "\"%s\" lacks \"%s\"", error,
		      name);
	ck_assert_uint_lt(strlen(error), HF_ERROR_TEXT);
}

START_TEST(good_options_get_their_defaults)
{
	struct hf_options o = good();

	ck_assert_int_eq(options_check(&o, &checked, error), 0);
	ck_assert_uint_eq(checked.ttl_ms, 10000);
	ck_assert_uint_eq(checked.renew_ms, 2500);
	ck_assert_uint_eq(checked.margin_ms, 510);
	ck_assert_uint_eq(checked.drift_ppm, 1000);
	ck_assert_uint_eq(checked.election_ms, 300);
	ck_assert_str_eq(checked.cluster, "holdfast");
}
END_TEST

START_TEST(a_directory_is_enough)
{
	struct hf_options o = { .size = sizeof(o), .dir = "d" };

	ck_assert_int_eq(options_check(&o, &checked, error), 0);
	ck_assert_uint_eq(checked.id, 1);
}
END_TEST

START_TEST(options_of_an_older_header_are_good)
{
	struct hf_options o = good();

	o.size = offsetof(struct hf_options, election_ms);
	o.election_ms = 1; /* beyond what the caller's header knows */
	ck_assert_int_eq(options_check(&o, &checked, error), 0);
	ck_assert_uint_eq(checked.election_ms, 300);
}
END_TEST

START_TEST(fields_of_a_newer_header_must_be_zero)
{
	struct {
		struct hf_options known;
		uint64_t unknown;
	} newer = { .known = good() };

	newer.known.size = sizeof(newer);
	ck_assert_int_eq(options_check(&newer.known, &checked, error), 0);
	newer.unknown = 1;
	refused(&newer.known, "older than the header");
}
END_TEST

START_TEST(a_wrong_size_is_refused)
{
	struct hf_options o = good();

	o.size = 0;
	refused(&o, "size");
	o.size = 1 << 20;
	refused(&o, "size");
	refused(NULL, "options");
}
END_TEST

START_TEST(no_directory_is_refused)
{
	struct hf_options o = good();

	o.dir = NULL;
	refused(&o, "dir");
	o.dir = "";
	refused(&o, "dir");
}
END_TEST

START_TEST(an_unusable_cluster_name_is_refused)
{
	struct hf_options o = good();
	char longest[257];

	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	o.cluster = longest;
	refused(&o, "cluster");
	o.cluster = "";
	refused(&o, "cluster");
}
END_TEST

START_TEST(times_out_of_range_are_refused)
{
	struct hf_options o = good();

	o.ttl_ms = 499;
	refused(&o, "ttl_ms");
	o = good();
	o.ttl_ms = 86400001;
	refused(&o, "ttl_ms");
	o = good();
	o.renew_ms = 3334;
	refused(&o, "renew_ms");
	o = good();
	o.margin_ms = 2501;
	refused(&o, "margin_ms");
	o = good();
	o.drift_ppm = 100001;
	refused(&o, "drift_ppm");
	o = good();
	o.election_ms = 99;
	refused(&o, "election_ms");
}
END_TEST

START_TEST(members_that_cannot_be_are_refused)
{
	struct hf_options o = good();
	struct hf_member m[3];

	memcpy(m, three, sizeof(m));
	o.members = m;
	m[1].id = 0;
	refused(&o, "members[1].id");
	m[1].id = 1;
	refused(&o, "members[1]");
	m[1] = (struct hf_member){ 2, "127.0.0.1:7001" };
	refused(&o, "members[1]");
	o.members = NULL;
	refused(&o, "members");
	o.members_len = 16;
	refused(&o, "members_len");
}
END_TEST

START_TEST(an_id_that_is_no_member_is_refused)
{
	struct hf_options o = good();

	o.id = 4;
	refused(&o, "option id");
	o.id = 0;
	refused(&o, "option id");
}
END_TEST

START_TEST(malformed_addresses_are_refused)
{
	static const char *const bad[] = {
		"",
		":7000",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:0",
		"127.0.0.1:65536",
		"127.0.0.1:7x",
		"127.0.0.1:-1",
		"::1:7000",
		"[::1:7000",
		"[]:7000",
		"127.0.0.1: 7000",
		"a-very-long-name-that-no-address-may-have-because-it-has-to-"
		"fit-into-a-status.example.org:7000"
	};
	struct hf_options o = good();
	struct hf_member m[3];

	memcpy(m, three, sizeof(m));
	o.members = m;
	o.plain_tcp = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		m[2].address = bad[i];
		refused(&o, "members[2].address");
	}
	m[2].address = NULL;
	refused(&o, "members[2].address");
}
END_TEST

START_TEST(plain_tcp_off_loopback_must_be_asked_for)
{
	struct hf_options o = good();
	struct hf_member m[3];

	memcpy(m, three, sizeof(m));
	o.members = m;
	m[2].address = "192.0.2.1:7003";
	refused(&o, "plain_tcp");
	m[2].address = "[2001:db8::1]:7003";
	refused(&o, "plain_tcp");
	m[2].address = "example.org:7003";
	refused(&o, "plain_tcp");
	o.plain_tcp = true;
	ck_assert_int_eq(options_check(&o, &checked, error), 0);
}
END_TEST

SUITE(good_options_get_their_defaults, a_directory_is_enough,
      options_of_an_older_header_are_good,
      fields_of_a_newer_header_must_be_zero, a_wrong_size_is_refused,
      no_directory_is_refused, an_unusable_cluster_name_is_refused,
      times_out_of_range_are_refused, members_that_cannot_be_are_refused,
      an_id_that_is_no_member_is_refused, malformed_addresses_are_refused,
      plain_tcp_off_loopback_must_be_asked_for)
