/* The disks of fakeio.h. */
#ifndef HF_TEST_FAKEDISK_H
#define HF_TEST_FAKEDISK_H

#include "lib/fakeio.h"

void fake_disk_open(struct fake_member *m); /* fills in m->io */
/* Do one thing that is due; false: there is none. */
bool fake_disk_step(struct fake_member *m);
uint64_t fake_disk_due(const struct fake_member *m);
/* Forget all that isn't done, telling whoever waits for it. */
void fake_disk_lose(struct fake_member *m);
void fake_disk_free(struct fake_disk *d);

#endif
