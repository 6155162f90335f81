/* A member's process: one node, its users, and what the program asks of it
 * through the shared memory. The program runs itself as such:
 * "chaos member NUMBER MEMBERS FD DIRECTORY". */
#ifndef CHAOS_MEMBER_H
#define CHAOS_MEMBER_H

/* argv[0] is "member". Returns an enum member_end. */
int member_main(int argc, char **argv);

#endif
