// What every test binary needs: running a suite without forks, a seed that can be repeated, and random numbers that are
// the same everywhere. Knows nothing of isogram.
#ifndef ISG_TESTS_SUITE_H
#define ISG_TESTS_SUITE_H

#include <check.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

// Check writes the place of every assertion that holds to a file, which is most of the time of a test that compares millions of
// numbers. Places are for tests that die in a process of their own; here all run in this one.
#define _mark_point(file, line) ((void)0) // NOLINT(bugprone-reserved-identifier): Check's name

#define COUNT(a) (sizeof(a) / sizeof *(a))

// A suite with one case per test, each named after its test: those that the environment's ISOGRAM_TEST_CASES lists,
// divided by commas, or all.
Suite *suite_of(const char *name, const TTest *const *tests, size_t count);

// Runs the suite in this process and prints the seed. EXIT_SUCCESS, or EXIT_FAILURE when a test failed. Frees the
// suite.
int suite_run(Suite *suite);

// The environment's ISOGRAM_TEST_SEED, or 1.
uint64_t suite_seed(void);

// Whether the environment's ISOGRAM_TEST_ALL asks for what repeats others as well, in suite `exhaustive`: compiling
// programs is most of a run, and the ordinary one must not take an hour.
bool suite_all(void);
// So many rounds then, and half as many otherwise.
int suite_rounds(int all);

// xorshift64* (Vigna 2016). No expression may draw twice: C leaves the order of its operands open, and compilers
// differ.
typedef struct suite_random {
    uint64_t state;
} suite_random;

// Different streams of one seed are unrelated, so that each test can have its own whatever runs before it.
suite_random suite_stream(uint64_t stream);

static inline uint64_t random_bits(suite_random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * 0x2545f4914f6cdd1dull;
}

// In [0, count), count > 0; the bias is below count * 2^-64.
static inline int64_t random_below(suite_random *random, int64_t count)
{
    return (int64_t)(random_bits(random) % (uint64_t)count);
}

// In [low, high), 53 random bits.
static inline double random_between(suite_random *random, double low, double high)
{
    return low + (high - low) * ((double)(random_bits(random) >> 11) * 0x1p-53);
}

// x 2^e for x in [low, high) and e in [first, first + count).
static inline double random_scaled(suite_random *random, double low, double high, int first, int count)
{
    double x = random_between(random, low, high);
    return ldexp(x, first + (int)random_below(random, count));
}

#endif
