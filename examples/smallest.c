/* The smallest embedding: a cluster of one, a lock, and its token in use.
 *
 * cc smallest.c $(pkg-config --cflags --libs holdfast) && ./a.out /tmp/hold */
#include <holdfast.h>

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct hf_options options = { .size = sizeof(options) };
	struct hf_guard guard = { 0 }; /* a real one is stored with the data */
	struct hf_node *node;
	struct hf_lock lock;
	char error[HF_ERROR_TEXT];

	options.dir = argc > 1 ? argv[1] : "smallest.dir";
	if (hf_open(&node, &options, error) != 0) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	int rc = hf_lock(node, &lock, "accounts/42", NULL, 5000);
	if (rc == 0) {
		uint64_t token = hf_lock_token(&lock);

		/* Whatever the lock protects refuses tokens of the past. */
		rc = hf_guard_check(&guard, HF_EXCLUSIVE, token);
		if (rc == 0)
			printf("writing under token %" PRIu64 "\n", token);
		hf_unlock(&lock, 5000);
	}
	if (rc != 0)
		fprintf(stderr, "%s\n", hf_strerror(rc));
	hf_close(node, 1000);
	return rc != 0;
}
