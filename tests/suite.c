#include "suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

Suite *suite_of(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < count; i++) {
        TCase *one = tcase_create(tests[i]->name);
        tcase_add_test(one, tests[i]);
        suite_add_tcase(suite, one);
    }
    return suite;
}

int suite_run(Suite *suite)
{
    printf("ISOGRAM_TEST_SEED=%" PRIu64 "\n", suite_seed());
    fflush(stdout);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

uint64_t suite_seed(void)
{
    const char *text = getenv("ISOGRAM_TEST_SEED");
    return text && *text ? strtoull(text, NULL, 0) : 1;
}

// A step of splitmix64 (Steele, Lea and Flood 2014): neighbouring numbers in, unrelated numbers out.
static uint64_t mixed(uint64_t z)
{
    z += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

suite_random suite_stream(uint64_t stream)
{
    uint64_t state = mixed(mixed(suite_seed()) + stream);
    return (suite_random){state ? state : 1};
}
