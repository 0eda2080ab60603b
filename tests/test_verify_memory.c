// Memory runs out in the certificate: each allocation of its cases, of the host's reference and of what it computes on
// the device fails once. Each time: no case and no results, or the right ones where there is a way around; and nothing
// is left behind.
#include "device.h"
#include "scarce_memory.h"
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Makes the case, or computes what is right, with the allocation `at` failing. done: how many there were; left: blocks
// that were not there before, besides the results.
static bool make(isg_case *c, int index, isg_dtype dtype, bool fused, bool quick, long at, long *done, long *left)
{
    const long before = memory_blocks;
    memory_arm(at);
    const bool made = isg_case_make(c, index, dtype, fused, quick);
    *done = memory_calls;
    memory_arm(0);
    *left = memory_blocks - before;
    return made;
}

static void *compute(const isg_case *c, long at, long *done, long *left)
{
    const long before = memory_blocks;
    memory_arm(at);
    void *results = isg_case_expected(c);
    *done = memory_calls;
    memory_arm(0);
    *left = memory_blocks - before - (results != NULL);
    return results;
}

// The case is made, once nothing fails. Returns how many allocations failed.
static long check_making(isg_case *c, int index, isg_dtype dtype, bool fused, bool quick)
{
    for (long at = 1;; at++) {
        long done, left;
        const bool made = make(c, index, dtype, fused, quick, at, &done, &left);
        ck_assert_msg(made == (done < at), "case %d is made without its allocation %ld, or not at all", index, at);
        if (made)
            return at - 1;
        ck_assert_msg(left == 0, "case %d, its allocation %ld: %ld blocks are left", index, at, left);
    }
}

// Of many only the first: those are of one row after the other. around: allocations there was a way around.
static long check_computing(const isg_case *c, long *around)
{
    enum { MOST = 24 };
    char right[33], hash[33];
    long all, done, left;
    void *results = compute(c, 0, &all, &left);
    ck_assert_msg(results && left == 0, "%s/%s cannot be computed, or %ld blocks are left", c->what, c->inputs, left);
    isg_case_hash(c, results, right);
    free(results);
    for (long at = 1; at <= all && at <= MOST; at++) {
        results = compute(c, at, &done, &left);
        ck_assert_msg(left == 0, "%s/%s, allocation %ld: %ld blocks are left", c->what, c->inputs, at, left);
        if (results) {
            isg_case_hash(c, results, hash);
            ck_assert_msg(strcmp(hash, right) == 0, "%s/%s, allocation %ld: other results", c->what, c->inputs, at);
            ++*around;
        }
        free(results);
    }
    return isg_min(all, MOST);
}

// Those that soon end in their full size, too, and those that ask for more than the quick ones do.
static bool computed_in_full(const isg_case *c)
{
    return c->kind == ISG_CASE_FILTER || c->kind == ISG_CASE_STENCIL || c->kind == ISG_CASE_CONVOLVE || c->factors ||
           c->lengthscales[0] > 0 || c->diagonal || c->reduce.reduction == ISG_REDUCE_MEAN;
}

// All cases, each of one contract; computed are the quick ones and some of the others.
START_TEST(on_the_host)
{
    const bool quick = _i == 1;
    long made = 0, computed = 0, around = 0;
    for (int i = 0; i < isg_case_count(quick); i++) {
        isg_case c;
        made += check_making(&c, i, i % 2 ? ISG_F64 : ISG_F32, i / 2 % 2 != 0, quick);
        if (quick || computed_in_full(&c))
            computed += check_computing(&c, &around);
        isg_case_free(&c);
    }
    printf("  %ld allocations of cases failed, %ld of their results, with a way around %ld of them\n", made, computed,
           around);
    ck_assert_int_gt(made, isg_case_count(quick));
    ck_assert_int_gt(computed, 0);
}
END_TEST

// The last quick case of a kind, whole or a diagonal, if there is one; or a full one.
static bool find_case(isg_case *c, isg_case_kind kind, bool diagonal)
{
    for (int quick = 1; quick >= 0; quick--)
        for (int i = isg_case_count(quick) - 1; i >= 0; i--) {
            ck_assert(isg_case_make(c, i, ISG_F32, false, quick));
            if (c->kind == kind && c->diagonal == diagonal)
                return true;
            isg_case_free(c);
        }
    return false;
}

START_TEST(on_the_device)
{
    isg_context *context = device_open(ISG_ARITHMETIC_UNFUSED, 0);
    isg_case c;
    char right[33], hash[33];
    const bool diagonal = _i > ISG_CASE_GRADIENT; // once more
    ck_assert_msg(find_case(&c, diagonal ? ISG_CASE_GRAM : (isg_case_kind)_i, diagonal), "no case of kind %d", _i);
    void *want = isg_case_expected(&c), *got = isg_alloc(c.count, isg_dtype_bytes(c.dtype));
    ck_assert(want && got);
    isg_case_hash(&c, want, right);
    device_ok(context, isg_verify_compute(context, &c, got)); // programs are there from now on
    for (long at = 1, done = at; done >= at; at++) {
        memset(got, 0, (size_t)c.count * isg_dtype_bytes(c.dtype));
        memory_arm(at);
        const isg_status st = isg_verify_compute(context, &c, got);
        done = memory_calls;
        memory_arm(0);
        ck_assert_msg(st == ISG_OK || (st == ISG_ERR_MEMORY && done >= at), "%s/%s, allocation %ld: %s", c.what,
                      c.inputs, at, isg_context_error(context)->message);
        isg_case_canonical(&c, got);
        isg_case_hash(&c, got, hash);
        ck_assert_msg(st || strcmp(hash, right) == 0, "%s/%s, allocation %ld: other results", c.what, c.inputs, at);
    }
    free(want);
    free(got);
    isg_case_free(&c);
    isg_context_destroy(&context);
}
END_TEST

// Stops after the second check. It asserts nothing, for that allocates.
static int stop_after_two(void *user, const isg_verify_check *check)
{
    int *count = user;
    (void)check;
    return ++*count == 2;
}

// The inputs of the third check, or its results, find no memory: all ends there, and nobody has to be called for it.
START_TEST(whole)
{
    static const char *const says[] = {"no memory for the inputs of a check", "no memory for the results of a check"};
    long made, left, before = 0;
    isg_case third;
    ck_assert(make(&third, 2, ISG_F32, false, true, 0, &made, &left));
    isg_case_free(&third);
    for (int i = 0; i < 3; i++) {
        isg_context *context = device_open(ISG_ARITHMETIC_UNFUSED, 0);
        isg_verify_summary summary;
        int count = 0;
        isg_verify_params params = {.quick = 1, .each = i ? NULL : stop_after_two, .user = &count};
        memory_arm(i ? before + (i == 1 ? 1 : made + 1) : 0);
        const isg_status st = isg_verify_context(context, &params, &summary);
        if (!i)
            before = memory_calls;
        memory_arm(0);
        ck_assert_msg(st == (i ? ISG_ERR_MEMORY : ISG_ERR_CANCELLED), "%s", isg_context_error(context)->message);
        if (i)
            ck_assert_str_eq(isg_context_error(context)->message, says[i - 1]);
        ck_assert_int_eq(summary.equal, 2);
        ck_assert_int_eq(summary.different + summary.failed + summary.unsupported, 0);
        isg_context_destroy(&context);
    }
}
END_TEST

static int stop_at_once(void *user, const isg_verify_check *check)
{
    isg_verify_check *first = user;
    *first = *check;
    return 1;
}

// A check that finds no memory on the way is told as one that failed, and is not called different.
START_TEST(failed)
{
    isg_verify_summary summary = {.failed = 0};
    long at = 0; // first none: how many there are; then from the last one on
    do {
        isg_context *context = device_open(ISG_ARITHMETIC_UNFUSED, 0);
        isg_verify_check first;
        memory_arm(at);
        const isg_status st =
            isg_verify_context(context, isg_verify_params(.quick = 1, .each = stop_at_once, .user = &first), &summary);
        at = at ? at - 1 : memory_calls;
        memory_arm(0);
        ck_assert_int_eq(st, ISG_ERR_CANCELLED);
        ck_assert_int_eq(summary.equal + summary.failed, 1);
        ck_assert_int_eq(first.status, summary.failed ? ISG_ERR_MEMORY : ISG_OK);
        ck_assert((first.message[0] != 0) == (summary.failed == 1) && (first.hash[0] != 0) == (summary.equal == 1));
        isg_context_destroy(&context);
    } while (at > 0 && !summary.failed);
    ck_assert_int_eq(summary.failed, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify_memory");
    TCase *host = tcase_create("on_the_host"), *device = tcase_create("on_the_device"), *all = tcase_create("whole");
    tcase_add_loop_test(host, on_the_host, 0, 2);
    tcase_add_loop_test(device, on_the_device, ISG_CASE_FUNCTION, ISG_CASE_GRADIENT + 2);
    tcase_add_test(all, whole);
    tcase_add_test(all, failed);
    tcase_set_timeout(host, 0);
    tcase_set_timeout(device, 0);
    tcase_set_timeout(all, 0);
    suite_add_tcase(suite, host);
    suite_add_tcase(suite, device);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
