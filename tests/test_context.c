// Choosing devices, contracts, and contexts that live side by side.
#include "device.h"

#include "probe.h"

#include <dirent.h>
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
    int32_t none = 5;
    ck_assert_int_eq(isg_device_list(NULL, 0, NULL, NULL), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_device_list(NULL, 1, &none, NULL), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_device_list(NULL, 0, &none, NULL), ISG_OK); // how many there are
    ck_assert_int_eq(none, count);
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

// Messages of calls that failed: with the device's name where it is known, and told apart from what the caller gave.
START_TEST(failed_calls)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const char *message = isg_context_error(context)->message;
    char want[400];
    ck_assert_int_eq(isg_cl_refuse(context, CL_OUT_OF_RESOURCES, "clMade", "refused"), ISG_ERR_DEVICE);
    snprintf(want, sizeof want, "clMade failed on %s with CL_OUT_OF_RESOURCES (-5) at ", context->device.name);
    ck_assert_msg(strncmp(message, want, strlen(want)) == 0, "%s", message);
    isg_error_clear(&context->error);
    context->device.name[0] = 0;
    ck_assert_int_eq(isg_cl_refuse(context, CL_OUT_OF_HOST_MEMORY, "clMade", "refused"), ISG_ERR_MEMORY);
    ck_assert_msg(strncmp(message, "clMade failed on the device with ", 33) == 0, "%s", message);
    isg_error_clear(&context->error);
    ck_assert_int_eq(isg_cl_refuse(context, CL_INVALID_MEM_OBJECT, "clMade", "refused"), ISG_ERR_ARGUMENT);
    ck_assert_str_eq(message, "refused: CL_INVALID_MEM_OBJECT");
    isg_error_clear(&context->error);
    ck_assert_int_eq((isg_cl_fail)(context, -9999, "clMade(a, b)", "made.c", 7), ISG_ERR_DEVICE);
    ck_assert_str_eq(message, "clMade failed on the device with an unknown OpenCL error (-9999) at made.c:7");
    isg_context_destroy(&context);
}
END_TEST

// A limit beyond the device's own is the device's.
START_TEST(limits_of_buffers)
{
    isg_context *own = device_open(ISG_ARITHMETIC_AUTO, 0), *most = device_open(ISG_ARITHMETIC_AUTO, INT64_MAX);
    isg_context *least = device_open(ISG_ARITHMETIC_AUTO, 1 << 16);
    ck_assert_int_eq(own->max_alloc_bytes, isg_context_device(own)->max_alloc_bytes);
    ck_assert_int_eq(most->max_alloc_bytes, own->max_alloc_bytes);
    ck_assert_int_eq(least->max_alloc_bytes, 1 << 16);
    isg_context_destroy(&own);
    isg_context_destroy(&most);
    isg_context_destroy(&least);
}
END_TEST

// A device without double precision, which is played: nothing is probed in it, its contract is that of single
// precision unless it is asked for, and every call that needs it says so.
START_TEST(without_doubles)
{
    isg_context *context = device_open(ISG_ARITHMETIC_UNFUSED, 0);
    context->device.lanes_f64 = 0;
    ck_assert_int_eq(isg_context_probe(context)->trusted_f64, 0);
    ck_assert_str_eq(isg_context_contract(context, ISG_PRECISION_DEFAULT), "isogram-2/f32/unfused");
    for (int i = 0; i < 2; i++) { // the second time from memory
        isg_error_clear(&context->error);
        ck_assert_int_eq(isg_context_require(context, ISG_F64), ISG_ERR_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "has no double precision; ask for f32"));
        ck_assert(context->probed[1]);
    }
    const double x[] = {0, 1};
    isg_gram *gram;
    ck_assert_int_eq(isg_gram_create(context, &gram,
                                     isg_gram_params(.x = isg_matrix(ISG_F64, (void *)(uintptr_t)x, 2, 1),
                                                     .precision = ISG_PRECISION_F64)),
                     ISG_ERR_UNSUPPORTED);
    ck_assert_ptr_null(gram);
    isg_context_destroy(&context);
}
END_TEST

static void probe_from_log(void *user, isg_log_level level, const char *message)
{
    (void)level, (void)message;
    isg_context **context = user;
    if (*context)
        ck_assert_int_eq(isg_context_probe(*context)->trusted_f64, 0);
}

// Asked for from a function of the caller's, or in a child process, the probe is what is known: nothing is run there.
START_TEST(probe_without_running)
{
    isg_context *context, *asked = NULL;
    ck_assert_int_eq(
        isg_context_create(&context, isg_context_params(.cache_dir = "off", .log = probe_from_log, .log_user = &asked)),
        ISG_OK);
    asked = context;
    isg_context_log(context, ISG_LOG_INFO, "anything");
    asked = NULL;
    const pid_t own = context->process;
    context->process = own + 1; // as it is in a child
    ck_assert_int_eq(isg_context_probe(context)->trusted_f64, 0);
    ck_assert_int_eq(isg_context_enter(context), ISG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "was made before fork(), by process"));
    context->process = own;
    ck_assert_int_eq(isg_context_enter(context), ISG_OK);
    if (isg_context_device(context)->lanes_f64 > 0)
        ck_assert_int_eq(isg_context_probe(context)->trusted_f64, 1);
    isg_context_destroy(&context);
}
END_TEST

// Which arithmetic follows from what the probe saw: by itself a cheap fma that rounds once, else what was asked for.
START_TEST(choice_of_arithmetic)
{
    static const struct {
        isg_arithmetic asked;
        int fused;
        double cost;
        bool chosen;
    } cases[] = {{ISG_ARITHMETIC_AUTO, 1, 1, true},
                 {ISG_ARITHMETIC_AUTO, 1, 40, false},
                 {ISG_ARITHMETIC_AUTO, 0, 1, false},
                 {ISG_ARITHMETIC_FUSED, 0, 40, true},
                 {ISG_ARITHMETIC_UNFUSED, 1, 1, false}};
    isg_context *context = device_open(ISG_ARITHMETIC_UNFUSED, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        context->arithmetic = cases[i].asked;
        context->probe.fma_fused_f32 = context->probe.fma_fused_f64 = cases[i].fused;
        context->probe.fma_cost_f32 = context->probe.fma_cost_f64 = cases[i].cost;
        ck_assert_int_eq(isg_probe_fused(context, ISG_F32), cases[i].chosen);
        ck_assert_int_eq(isg_probe_fused(context, ISG_F64), cases[i].chosen);
    }
    isg_context_destroy(&context);
}
END_TEST

// Fused arithmetic that was asked for, on a device whose fma is dear, which is played by the verdict: the integers'
// cost is measured once, the cheaper of the two is used, and the bits are the same.
START_TEST(dear_fma)
{
    isg_context *context = device_open(ISG_ARITHMETIC_FUSED, 0);
    if (!context) // which says so
        return;
    isg_verdict *v = &context->verdict[0];
    const isg_verdict measured = *v;
    if (!measured.fma_fused) {
        printf("skipped: the device's fma rounds twice\n");
        isg_context_destroy(&context);
        return;
    }
    static const struct {
        int fused;
        double cost, known; // known: the integers' cost, of an earlier time
    } cases[] = {{1, 1e6, 0}, {0, 1, 0}, {1, 2.6, 0}, {1, 2.6, 5}, {1, 1, 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const bool dear = !cases[i].fused || cases[i].cost > 2.5, measures = dear && cases[i].known == 0;
        *v = measured;
        v->fma_fused = cases[i].fused;
        v->fma_cost = cases[i].cost;
        v->integers_cost = cases[i].known;
        v->fma_by_integers = 0;
        v->trusted[1] = ISG_UNCHECKED;
        isg_context_turn(context, ISG_ARITHMETIC_FUSED);
        device_ok(context, isg_probe_precision(context, ISG_F32));
        ck_assert(measures ? v->integers_cost > 0 : v->integers_cost == cases[i].known);
        const bool by_integers = measures && (!cases[i].fused || v->integers_cost < cases[i].cost);
        ck_assert_int_eq(v->fma_by_integers, by_integers);
        ck_assert_int_eq(isg_context_probe(context)->fma_by_integers_f32, by_integers);
        ck_assert_int_eq(v->trusted[1], ISG_TRUSTED);
    }
    isg_context_destroy(&context);
}
END_TEST

// Verdicts of devices that are not here: what one precision lacks, the other does not make good.
START_TEST(verdicts)
{
    isg_context *context = device_open(ISG_ARITHMETIC_UNFUSED, 0);
    const isg_verdict good = context->verdict[0];
    for (int wrong = 0; wrong < 2; wrong++) {
        isg_verdict bad = good;
        if (wrong == 0)
            bad.rounds_to_nearest = 0;
        else
            bad.contracts = 1;
        for (int first = 0; first < 2; first++) { // the precision that is wrong is judged first, or last
            isg_context_turn(context, ISG_ARITHMETIC_UNFUSED);
            for (int turn = 0; turn < 2; turn++) {
                const bool is_bad = (turn == 0) == (first == 0);
                const isg_dtype dtype = turn ? ISG_F64 : ISG_F32;
                context->verdict[turn] = is_bad ? bad : good;
                context->measured[turn] = true;
                isg_error_clear(&context->error);
                ck_assert_int_eq(isg_probe_precision(context, dtype), is_bad ? ISG_ERR_UNTRUSTED : ISG_OK);
            }
            const isg_probe *p = &context->probe;
            ck_assert_int_eq(p->rounds_to_nearest, wrong != 0);
            ck_assert_int_eq(p->contracts, wrong == 1);
            ck_assert_int_eq(p->trusted_f32, first == 1);
            ck_assert_int_eq(p->trusted_f64, first == 0);
        }
    }
    isg_context_destroy(&context);
}
END_TEST

// Files of the cache that are whole and of the right name, but hold something else: no verdict and no program.
START_TEST(other_blobs)
{
    char folder[] = "/tmp/isogram-blobs-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    int compilations[2] = {0, 0}, replaced = 0;
    for (int i = 0; i < 2; i++) {
        isg_context *context;
        ck_assert_int_eq(isg_context_create(&context, isg_context_params(.cache_dir = folder, .log = count_compilations,
                                                                         .log_user = &compilations[i])),
                         ISG_OK);
        ck_assert_int_eq(isg_context_probe(context)->trusted_f32, 1);
        isg_context_destroy(&context);
        isg_cache cache;
        isg_cache_open(&cache, folder, NULL, NULL);
        DIR *names = opendir(folder);
        for (const struct dirent *entry; i == 0 && (entry = readdir(names)) != NULL;) {
            isg_cache_key key = {.known = true};
            if (strlen(entry->d_name) != 2 * sizeof key.bytes)
                continue;
            for (size_t b = 0; b < sizeof key.bytes; b++) {
                const char digits[3] = {entry->d_name[2 * b], entry->d_name[2 * b + 1], 0};
                key.bytes[b] = (uint8_t)strtoul(digits, NULL, 16);
            }
            isg_cache_put(&cache, key, "abc", 3);
            replaced++;
        }
        closedir(names);
        isg_cache_close(&cache);
    }
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_gt(replaced, 0);
    ck_assert_int_gt(compilations[0], 0);
    ck_assert_int_eq(compilations[1], compilations[0]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {list_and_choose,
                                  unknown_devices,
                                  environment,
                                  contracts,
                                  cached_programs,
                                  limits,
                                  words,
                                  failed_calls,
                                  limits_of_buffers,
                                  without_doubles,
                                  probe_without_running,
                                  choice_of_arithmetic,
                                  dear_fma,
                                  verdicts,
                                  other_blobs};
    return suite_run(suite_of("context", tests, COUNT(tests)));
}
