/* One process of the soak: a member of the cluster under its clients' load. It
 * obeys lines on its standard input, and answers each with "done". */
#ifndef SOAK_MEMBER_H
#define SOAK_MEMBER_H

/* Arguments: number (from 0), the journal's descriptor, directory, addresses of
 * all. Returns the exit status. */
int member_main(int argc, char **argv);

#endif
