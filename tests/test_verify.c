// The certificate: what is asked of it is what is checked, whoever is told can stop it, and a result that differs is
// told with its inputs. That all bits are right is for the suites verify_* and shapes.
#include "device.h"
#include "verify.h"

#include <isogram/verify.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKS = 3 };

typedef struct told {
    int count;
    const char *contract; // of all checks
} told;

static int stop_soon(void *user, const isg_verify_check *check)
{
    told *t = user;
    ck_assert_msg(check->status == ISG_OK || check->status == ISG_ERR_UNSUPPORTED, "%s", check->message);
    ck_assert_msg(strcmp(check->contract, t->contract) == 0, "%s", check->contract);
    if (check->status == ISG_OK) {
        ck_assert_int_eq(strlen(check->hash), 32);
        ck_assert(check->count > 0 && check->seconds >= 0 && !check->message[0]);
    }
    return ++t->count == CHECKS || check->status == ISG_ERR_UNSUPPORTED;
}

// The first contract of what is asked for comes first.
START_TEST(asked)
{
    static const struct {
        isg_arithmetic arithmetic;
        isg_precision precision;
        isg_dtype dtype; // of the contract
        bool fused;
    } cases[] = {
        {ISG_ARITHMETIC_AUTO, ISG_PRECISION_DEFAULT, ISG_F32, false},
        {ISG_ARITHMETIC_AUTO, ISG_PRECISION_F64, ISG_F64, false},
        {ISG_ARITHMETIC_FUSED, ISG_PRECISION_DEFAULT, ISG_F32, true},
        {ISG_ARITHMETIC_FUSED, ISG_PRECISION_F64, ISG_F64, true},
        {ISG_ARITHMETIC_UNFUSED, ISG_PRECISION_F32, ISG_F32, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_error error = {ISG_OK, ""};
        told t = {0, isg_contract_name(cases[i].dtype, cases[i].fused)};
        isg_verify_summary summary;
        isg_status st = isg_verify(
            isg_verify_params(.context = isg_context_params(.arithmetic = cases[i].arithmetic, .error = &error),
                              .precision = cases[i].precision, .quick = 1, .each = stop_soon, .user = &t),
            &summary);
        ck_assert_msg(st == ISG_ERR_CANCELLED, "case %d: %s, %s", (int)i, isg_status_name(st), error.message);
        ck_assert_int_eq(error.status, ISG_ERR_CANCELLED);
        ck_assert_int_eq(summary.equal + summary.unsupported, t.count);
        ck_assert_int_eq(summary.different + summary.failed, 0);
        ck_assert(summary.device.name[0]);
    }
}
END_TEST

// Nothing is asked of the device, and errors have no place.
START_TEST(asked_of_any)
{
    told t = {0, isg_contract_name(ISG_F32, false)};
    isg_verify_summary summary;
    ck_assert_int_eq(isg_verify(isg_verify_params(.quick = 1, .each = stop_soon, .user = &t), &summary),
                     ISG_ERR_CANCELLED);
    ck_assert_int_eq(summary.equal, CHECKS);
    isg_error error = {ISG_OK, ""};
    ck_assert_int_eq(isg_verify(isg_verify_params(.context = isg_context_params(.error = &error)), NULL),
                     ISG_ERR_ARGUMENT);
    ck_assert_str_eq(error.message, "no place for a summary");
    memset(&summary, 0xff, sizeof summary);
    ck_assert_int_eq(
        isg_verify(isg_verify_params(.context = isg_context_params(.device = "none such", .error = &error)), &summary),
        ISG_ERR_NO_DEVICE);
    ck_assert_int_eq(error.status, ISG_ERR_NO_DEVICE);
    ck_assert(!summary.device.name[0]);
    ck_assert_int_eq(summary.equal + summary.different + summary.unsupported + summary.failed, 0);
}
END_TEST

// A device without double precision: one line says so, and nothing is wrong.
static int see_unsupported(void *user, const isg_verify_check *check)
{
    ck_assert_int_eq(check->status, ISG_ERR_UNSUPPORTED);
    ck_assert_str_eq(check->contract, isg_contract_name(ISG_F64, false));
    ck_assert_str_eq(check->what, "device");
    ck_assert(check->message[0] && !check->hash[0] && check->count == 0);
    ++*(int *)user;
    return 0;
}

START_TEST(lacking)
{
    isg_context *context = device_open(ISG_ARITHMETIC_UNFUSED, 0);
    isg_verify_summary summary;
    int seen = 0;
    context->device.lanes_f64 = 0;
    device_ok(context, isg_verify_context(context,
                                          isg_verify_params(.quick = 1, .precision = ISG_PRECISION_F64,
                                                            .each = see_unsupported, .user = &seen),
                                          &summary));
    ck_assert(seen == 1 && summary.unsupported == 1);
    ck_assert_int_eq(summary.equal + summary.different + summary.failed, 0);
    isg_context_destroy(&context);
}
END_TEST

// Where a result stands, and what it was made of.
START_TEST(described)
{
    static const struct {
        const char *what, *inputs;
        int64_t at;
        const char *text;
    } cases[] = {
        {"function real_exp", "mixed", 0, "real_exp(0x1.464a8p+5)"},
        {"function real_pow", "mixed", 1, "real_pow(0x1.8b550cp+6, 0x1.8067f8p+1)"},
        {"formula rbf", "mixed", 0,
         "rbf at the pair's number 0x1.000004p-26, numbers 0x1.3333333333333p+0, 0x0p+0, 0x0p+0"},
        {"gram rbf", "easy", 1,
         "K[0, 1] of x = (0x1.b6cc7p+0, -0x1.1becp+0, 0x1.06817cp+0, 0x1.8e0778p+0, -0x1.4be8a4p+0), y = "
         "(0x1.0b9928p+0, -0x1.a47b8p+0, -0x1.3fc4dp+0, 0x1.fd8c88p+0, 0x1.5a7c08p-1), rbf(gamma=0.29999999999999999)"},
        {"gram rbf", "many-dims", 0,
         "K[0, 0] of x = (-0x1.02fcb8p+0, 0x1.7c7944p+0, -0x1.39ac58p+0, -0x1.6bfb1p-2, 0x1.eb4ab4p+0, ...), y = "
         "(-0x1.02fcb8p+0, 0x1.7c7944p+0, -0x1.39ac58p+0, -0x1.6bfb1p-2, 0x1.eb4ab4p+0, ...), rbf(gamma=0.02)"},
        {"gram rbf", "diagonal", 1,
         "K[1, 1] of x = (-0x1.e5db5p+0, 0x1.fd0be4p+0, 0x1.aa9d08p+0, -0x1.fada68p+0, 0x1.2e5b28p-1), y = "
         "(-0x1.1c729p+0, -0x1.2b473p-2, -0x1.f8b0cp+0, -0x1.0084ep-3, 0x1.796d8p+0), rbf(gamma=0.29999999999999999)"},
        {"grid point", "2-d", 7, "element 7 of the grid"},
        {"stencil gabor", "points", 5, "element 5 of the grid"},
        {"convolve 2-d", "plain", 3, "element 3 of the array"},
        {"filter 2-d", "holes", 11, "element 11 of the array"},
        {"apply rbf, columns", "easy", 4, "result (0, 4) of rbf(gamma=0.69999999999999996), 203 x 3200"},
        {"reduce least 7", "easy", 8, "result (1, 1) of cityblock, 203 x 3200"},
        {"gradient rbf", "easy", 2, "derivative 2 of rbf(sigma=1.25), 203 x 203, d = 3"},
        {"gradient chi2", "easy", 1,
         "derivative 1 of chi2(gamma=0.29999999999999999) + 0.125*additive_chi2, 61 x 1100, d = 5"},
    };
    size_t found = 0;
    for (int i = 0; i < isg_case_count(false); i++) {
        isg_case c;
        ck_assert(isg_case_make(&c, i, ISG_F32, false, false));
        for (size_t k = 0; k < COUNT(cases); k++) {
            char text[600];
            if (strcmp(c.what, cases[k].what) != 0 || strcmp(c.inputs, cases[k].inputs) != 0)
                continue;
            isg_case_describe(&c, cases[k].at, text, sizeof text);
            ck_assert_str_eq(text, cases[k].text);
            found++;
        }
        isg_case_free(&c);
    }
    ck_assert_int_eq(found, COUNT(cases));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {asked, asked_of_any, lacking, described};
    return suite_run(suite_of("verify", tests, COUNT(tests)));
}
