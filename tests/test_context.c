// Choosing devices, contracts, and contexts that live side by side.
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(list_and_choose)
{
    isg_device devices[32];
    int32_t count = 0;
    ck_assert_int_eq(isg_device_list(devices, 32, &count, NULL), ISG_OK);
    ck_assert_int_ge(count, 1);
    for (int32_t i = 1; i < count; i++)
        ck_assert_int_le(devices[i - 1].device_class, devices[i].device_class);
    char spec[64];
    snprintf(spec, sizeof spec, "%d:%d", (int)devices[0].platform_index, (int)devices[0].device_index);
    char part[6];
    snprintf(part, sizeof part, "%.5s", devices[0].name);
    for (char *c = part; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    const char *const specs[] = {NULL, "auto", "AUTO", spec, part};
    for (size_t i = 0; i < COUNT(specs); i++) {
        isg_context *context;
        ck_assert_int_eq(isg_context_create(&context, isg_context_params(.device = specs[i], .cache_dir = "off")),
                         ISG_OK);
        if (specs[i])
            ck_assert_str_eq(isg_context_device(context)->name, devices[0].name);
        isg_context_destroy(&context);
        ck_assert_ptr_null(context);
        isg_context_destroy(&context);
    }
}
END_TEST

START_TEST(unknown_devices)
{
    const char *const specs[] = {"no such device", "99:0", "accelerator", "0:99"};
    for (size_t i = 0; i < COUNT(specs); i++) {
        isg_error error = {ISG_OK, ""};
        isg_context *context = (isg_context *)&error;
        ck_assert_int_eq(isg_context_create(&context, isg_context_params(.device = specs[i], .error = &error)),
                         ISG_ERR_NO_DEVICE);
        ck_assert_ptr_null(context);
        ck_assert_ptr_nonnull(strstr(error.message, specs[i]));
        ck_assert_ptr_nonnull(strstr(error.message, "there is: "));
    }
}
END_TEST

START_TEST(environment)
{
    const char *kept = getenv("ISOGRAM_DEVICE");
    char *copy = kept ? strdup(kept) : NULL;
    isg_error error = {ISG_OK, ""};
    isg_context *context;
    setenv("ISOGRAM_DEVICE", "from the environment", 1);
    ck_assert_int_eq(isg_context_create(&context, isg_context_params(.error = &error)), ISG_ERR_NO_DEVICE);
    ck_assert_ptr_nonnull(strstr(error.message, "from the environment"));
    if (copy)
        setenv("ISOGRAM_DEVICE", copy, 1);
    else
        unsetenv("ISOGRAM_DEVICE");
    free(copy);
}
END_TEST

START_TEST(contracts)
{
    isg_context *fused = device_open(ISG_ARITHMETIC_FUSED, 0), *unfused = device_open(ISG_ARITHMETIC_UNFUSED, 0);
    if (fused)
        ck_assert_str_eq(isg_context_contract(fused, ISG_PRECISION_F32), "isogram-2/f32/fused");
    ck_assert_str_eq(isg_context_contract(unfused, ISG_PRECISION_F32), "isogram-2/f32/unfused");
    const isg_probe *p = isg_context_probe(unfused);
    ck_assert(p->checked && p->trusted_f32 && p->rounds_to_nearest && !p->contracts);
    ck_assert(isg_context_device(unfused)->lanes_f64 == 0 || p->trusted_f64);
    isg_context_destroy(&fused);
    isg_context_destroy(&unfused);
}
END_TEST

// A second context finds the first one's programs and verdicts.
static void count_compilations(void *user, isg_log_level level, const char *message)
{
    (void)level;
    *(int *)user += strncmp(message, "compiled ", 9) == 0 || strncmp(message, "probed ", 7) == 0;
}

START_TEST(cached_programs)
{
    char folder[] = "/tmp/isogram-programs-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    int compilations[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        isg_context *context;
        isg_grid *grid;
        float values[9];
        ck_assert_int_eq(isg_context_create(&context, isg_context_params(.cache_dir = folder, .log = count_compilations,
                                                                         .log_user = &compilations[i])),
                         ISG_OK);
        device_ok(context, isg_grid_create(context, &grid,
                                           isg_grid_params(.size = {3}, .sigma = {1}, .precision = ISG_PRECISION_F32)));
        device_ok(context, isg_grid_fill(grid, isg_matrix_f32(values, 3, 3)));
        isg_grid_destroy(&grid);
        isg_context_destroy(&context);
    }
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_gt(compilations[0], 1);
    ck_assert_int_eq(compilations[1], 0);
}
END_TEST

START_TEST(limits)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 1 << 22);
    isg_limits l;
    device_ok(context, isg_context_measure(context, ISG_PRECISION_F32, &l));
    ck_assert(l.fill_bytes_per_s > 0 && l.copy_bytes_per_s > 0 && l.madds_per_s > 0);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(words)
{
    for (int i = 0; i < ISG_STATUS_COUNT; i++)
        ck_assert_ptr_nonnull(isg_status_name((isg_status)i));
    ck_assert_str_eq(isg_status_name((isg_status)-1), "unknown");
    ck_assert_str_eq(isg_dtype_name((isg_dtype)99), "unknown");
    ck_assert_uint_eq(isg_dtype_bytes((isg_dtype)-1), 0);
    ck_assert_ptr_eq(isg_kernel_find("gaussian"), isg_kernel_find("rbf"));
    ck_assert_ptr_null(isg_kernel_find("no such kernel"));
    ck_assert_ptr_null(isg_kernel_find(NULL));
    ck_assert_str_eq(isg_version(), ISG_VERSION);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {list_and_choose, unknown_devices, environment, contracts,
                                  cached_programs, limits,          words};
    return suite_run(suite_of("context", tests, COUNT(tests)));
}
