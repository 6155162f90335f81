/* A directory of this process, empty each time that it is opened. */
#ifndef HF_TEST_FUZZ_FOLDER_H
#define HF_TEST_FUZZ_FOLDER_H

#include <stddef.h>

const char *folder_path(void);
int folder_open(void); /* its file descriptor */
void folder_write(int folder, const char *name, const void *bytes, size_t len);
void folder_close(int folder); /* and remove all files */

#endif
