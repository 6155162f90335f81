/* Images as a hostile or broken member might send them: fields of records, and
 * what ties records to each other, replaced by what else is there. */
#ifndef HF_TEST_MUTATE_H
#define HF_TEST_MUTATE_H

#include "lib/machine.h"
#include "lib/random.h"

/* Change something in one record, of a request mostly. */
void mutate(struct image_copy *image, struct random *r);

#endif
