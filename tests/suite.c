#include "suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Whether the list is none or has the word.
static bool listed(const char *list, const char *word)
{
    const size_t length = strlen(word);
    if (!list || !*list)
        return true;
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == 0 || at[length] == ','))
            return true;
    return false;
}

Suite *suite_of(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < count; i++) {
        if (!listed(getenv("ISOGRAM_TEST_CASES"), tests[i]->name))
            continue;
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
    int failed = srunner_ntests_failed(runner), run = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed || !run ? EXIT_FAILURE : EXIT_SUCCESS;
}

uint64_t suite_seed(void)
{
    const char *text = getenv("ISOGRAM_TEST_SEED");
    return text && *text ? strtoull(text, NULL, 0) : 1;
}

bool suite_all(void)
{
    const char *text = getenv("ISOGRAM_TEST_ALL");
    return text && *text && strcmp(text, "0") != 0;
}

int suite_rounds(int all)
{
    return suite_all() ? all : (all + 1) / 2;
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
