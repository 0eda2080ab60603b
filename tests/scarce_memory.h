// Memory runs out, in a test whose executable is linked with --wrap of malloc, calloc, aligned_alloc and free: the
// linker puts these in front of the C library's for all that is linked into the test. Shared libraries, which are not,
// go on undisturbed. The test library's own calls count too: what is asserted is taken down before it is.
#ifndef ISG_TESTS_SCARCE_MEMORY_H
#define ISG_TESTS_SCARCE_MEMORY_H

// So many allocations since memory_arm; and what is held.
extern long memory_calls, memory_blocks;

// The allocation of this number fails, once, counted from here; 0: none.
void memory_arm(long at);

#endif
