// isogram store: what isogram gram --store has written, or is writing.
#include "report.h"
#include "store_options.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_ROWS = OPTION_VERB, OPTION_COLS, OPTION_X, OPTION_Y };

static void help(void)
{
    printf(
        "usage: isogram store info FILE\n"
        "       isogram store check FILE\n"
        "       isogram store repair FILE [--x X.npy] [--y Y.npy] [options]\n"
        "       isogram store read FILE [--rows A:B] [--cols C:D] -o BLOCK.npy\n\n"
        "FILE was written by isogram gram --store, or is being written; FILE.journal lies beside it.\n"
        "info says what it is of and how far it is. check compares all that is recorded with its checksums and names\n"
        "the tiles that differ; exit code 1 when there are any. repair computes those again, and what is missing, "
        "from\n"
        "the inputs, which lie where the journal says or as given. read takes a block of K out of either layout, also\n"
        "while it is being written.\n\n"
        "      --rows A:B        rows A to B - 1 (default: all)\n"
        "      --cols C:D        columns likewise\n"
        "      --x, --y FILE     the points, if they lie elsewhere now; --include and --factors likewise\n"
        "      --memory SIZE     buffers for tiles, such as 256M\n%s",
        common_help);
}

typedef struct store_verb {
    common_options common;
    store_options store;
    const char *x, *y, *include, *factors, *rows, *cols;
} store_verb;

static const char *layout_word(isg_store_layout layout)
{
    return layout == ISG_STORE_TILES ? "tiles" : "full";
}

static isg_store *open_store(const char *path, isg_store_info *info)
{
    isg_store *store;
    isg_error error = {ISG_OK, ""};
    if (isg_store_open(&store, path, &error) == ISG_OK && isg_store_describe(store, info, &error) == ISG_OK)
        return store;
    isg_store_close(&store);
    complain("%s", error.message);
    return NULL;
}

// ---- info ----

static int info_json(const char *path, const isg_store_info *i)
{
    cJSON *r = report_new("store", NULL, ISG_PRECISION_DEFAULT);
    const int64_t shape[2] = {i->n, i->m};
    const struct {
        const char *name, *value;
    } words[] = {{"file", path},
                 {"layout", layout_word(i->layout)},
                 {"dtype", isg_dtype_name(i->dtype)},
                 {"kernel", i->kernel},
                 {"lengthscales", i->lengthscales},
                 {"contract", i->contract},
                 {"x", i->x_path},
                 {"y", i->y_path},
                 {"include", i->include_path},
                 {"factors", i->factors_path},
                 {"x_hash", i->x_hash},
                 {"y_hash", i->y_hash}};
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"dimension", i->d},   {"side", i->side},       {"tiles", i->tiles},      {"recorded", i->recorded},
        {"synced", i->synced}, {"damaged", i->damaged}, {"bytes", i->file_bytes}, {"journal_bytes", i->journal_bytes}};
    cJSON_AddItemToObject(r, "shape", report_shape(2, shape));
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        cJSON_AddStringToObject(r, words[k].name, words[k].value);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        cJSON_AddNumberToObject(r, numbers[k].name, (double)numbers[k].value);
    cJSON_AddBoolToObject(r, "symmetric", i->symmetric != 0);
    return report_finish(r, true);
}

static int run_info(const store_verb *o, const char *path)
{
    isg_store_info i;
    isg_store *store = open_store(path, &i);
    if (!store)
        return EXIT_FAILED;
    int code = EXIT_DONE;
    if (o->common.json) {
        code = info_json(path, &i);
    } else {
        printf("K         %lld x %lld %s%s in %s\n", (long long)i.n, (long long)i.m, isg_dtype_name(i.dtype),
               i.layout == ISG_STORE_TILES ? ", the lower triangle by tiles," : "", path);
        printf("tiles     %lld of %lld recorded, of side %lld; %lld safe from a power cut; %lld records damaged\n",
               (long long)i.recorded, (long long)i.tiles, (long long)i.side, (long long)i.synced, (long long)i.damaged);
        printf("contract  %s\n", i.contract);
        printf("kernel    %s%s%s\n", i.kernel, i.lengthscales[0] ? ", lengthscales " : "", i.lengthscales);
        printf("X         %s (%lld columns, hash %s)\n", i.x_path[0] ? i.x_path : "not recorded", (long long)i.d,
               i.x_hash);
        if (!i.symmetric)
            printf("Y         %s\n", i.y_path[0] ? i.y_path : "not recorded");
        if (i.include_path[0])
            printf("include   %s\n", i.include_path);
        if (i.factors_path[0])
            printf("factors   %s\n", i.factors_path);
    }
    isg_store_close(&store);
    return code;
}

// ---- check ----

typedef struct check_view {
    const isg_store_info *info;
    cJSON *faults; // NULL: print
} check_view;

static int on_fault(void *user, const isg_store_fault *f)
{
    const check_view *view = user;
    if (view->faults) {
        cJSON *one = cJSON_CreateObject();
        if (f->row >= 0) {
            cJSON_AddNumberToObject(one, "row", (double)f->row);
            cJSON_AddNumberToObject(one, "col", (double)f->col);
        }
        cJSON_AddStringToObject(one, "what", f->what);
        cJSON_AddItemToArray(view->faults, one);
    } else if (f->row < 0) {
        printf("%s\n", f->what);
    } else {
        printf("tile (%lld, %lld), from row %lld and column %lld on: %s\n", (long long)f->row, (long long)f->col,
               (long long)(f->row * view->info->side), (long long)(f->col * view->info->side), f->what);
    }
    return 0;
}

static int run_check(const store_verb *o, const char *path)
{
    isg_store_info info;
    isg_error error = {ISG_OK, ""};
    int64_t faults;
    isg_store *store = open_store(path, &info);
    if (!store)
        return EXIT_FAILED;
    check_view view = {&info, o->common.json ? cJSON_CreateArray() : NULL};
    isg_status st = isg_store_check(store, on_fault, &view, &faults, &error);
    isg_store_close(&store);
    if (st) {
        cJSON_Delete(view.faults);
        return complain("%s", error.message);
    }
    if (o->common.json) {
        cJSON *r = report_new("store", NULL, ISG_PRECISION_DEFAULT);
        cJSON_AddStringToObject(r, "file", path);
        cJSON_AddNumberToObject(r, "tiles", (double)info.tiles);
        cJSON_AddNumberToObject(r, "recorded", (double)info.recorded);
        cJSON_AddItemToObject(r, "faults", view.faults);
        int code = report_finish(r, true);
        return code ? code : faults ? EXIT_FAILED : EXIT_DONE;
    }
    if (!o->common.quiet)
        printf("%lld of %lld tiles recorded, %lld faults\n", (long long)info.recorded, (long long)info.tiles,
               (long long)faults);
    return faults ? complain("%s: not as recorded; isogram store repair computes it again", path) : EXIT_DONE;
}

// ---- repair ----

static const char *or_else(const char *given, const char *recorded)
{
    return given ? given : recorded[0] ? recorded : NULL;
}

static int run_repair(store_verb *o, const char *path)
{
    isg_store_info info;
    isg_store *store = open_store(path, &info);
    if (!store)
        return EXIT_FAILED;
    char *kernel = strdup(info.kernel);
    operator_options operator= {.x = or_else(o->x, info.x_path),
                                .y = or_else(o->y, info.y_path),
                                .include = or_else(o->include, info.include_path),
                                .factors = or_else(o->factors, info.factors_path),
                                .kernel = kernel,
                                .lengthscale = info.lengthscales[0] ? info.lengthscales : NULL};
    // The contract is named isogram-2/f32/fused.
    const char *slash = strrchr(info.contract, '/');
    o->common.arithmetic = slash && strcmp(slash, "/unfused") == 0 ? ISG_ARITHMETIC_UNFUSED : ISG_ARITHMETIC_FUSED;
    isg_context *context = NULL;
    isg_store_params params = {.path = path,
                               .gram = &operator.params,
                               .layout = info.layout,
                               .dtype = info.dtype,
                               .memory_bytes = o->store.memory_bytes,
                               .repair = 1};
    const char *const output = path;
    int code = EXIT_FAILED;
    if (!kernel)
        complain("no memory");
    else if (!operator.x)
        complain("%s: where its points lie is not recorded; give --x%s", path, info.symmetric ? "" : " and --y");
    else if (!settle_operator(&operator, NULL, 0, &output, 1))
        code = unsettled(&operator);
    else if (read_operator(&operator) == EXIT_DONE && (context = open_context(&o->common))) {
        operator.params.precision = info.dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
        code = store_compute(&o->common, context, &params, false);
    }
    isg_context_destroy(&context);
    operator_free(&operator);
    isg_store_close(&store);
    free(kernel);
    return code;
}

// ---- read ----

// "A:B" within [0, extent]; either may be left out. False after a complaint.
static bool parse_range(const char *text, const char *name, int64_t extent, int64_t *from, int64_t *to)
{
    char left[24] = "";
    const char *colon = text ? strchr(text, ':') : NULL;
    *from = 0;
    *to = extent;
    if (!text)
        return true;
    bool good = colon && (size_t)(colon - text) < sizeof left;
    if (good) {
        memcpy(left, text, (size_t)(colon - text));
        good = (!left[0] || parse_int(left, from)) && (!colon[1] || parse_int(colon + 1, to)) && *from >= 0 &&
               *from <= *to && *to <= extent;
    }
    if (!good)
        complain("--%s '%s'; it is A:B, with 0 <= A <= B <= %lld", name, text, (long long)extent);
    return good;
}

static int run_read(const store_verb *o, const char *path)
{
    isg_store_info info;
    isg_error error = {ISG_OK, ""};
    isg_npy *file = NULL;
    int64_t row, row_end, col, col_end;
    isg_store *store = open_store(path, &info);
    int code = EXIT_FAILED;
    if (store && parse_range(o->rows, "rows", info.n, &row, &row_end) &&
        parse_range(o->cols, "cols", info.m, &col, &col_end)) {
        const int64_t shape[2] = {row_end - row, col_end - col};
        if (isg_npy_create(&file, o->common.output, info.dtype, 2, shape, &error) ||
            isg_store_read(store, row, col, *isg_npy_array(file), &error) || isg_npy_commit(&file, &error))
            complain("%s", error.message);
        else
            code = EXIT_DONE;
    }
    isg_npy_close(&file);
    isg_store_close(&store);
    return code;
}

// ---- The verb ----

static bool take_option(store_verb *o, int option, char *value)
{
    switch (option) {
    case OPTION_ROWS: o->rows = value; return true;
    case OPTION_COLS: o->cols = value; return true;
    case OPTION_X: o->x = value; return true;
    case OPTION_Y: o->y = value; return true;
    case OPTION_INCLUDE: o->include = value; return true;
    case OPTION_FACTORS: o->factors = value; return true;
    default: {
        int taken = take_store_option(&o->store, option, value);
        return taken ? taken > 0 : take_common_option(&o->common, option, value) >= 0;
    }
    }
}

static int dispatch(store_verb *o, int count, char **words)
{
    if (count < 1)
        return misuse("what about the store? 'isogram store info|check|repair|read FILE'");
    if (count != 2)
        return misuse(count < 2 ? "which file? 'isogram store %s FILE'" : "'isogram store %s' takes one file",
                      words[0]);
    bool reads = strcmp(words[0], "read") == 0;
    if (reads != (o->common.output != NULL))
        return misuse(reads ? "where to? give --output" : "--output is for 'isogram store read'");
    if ((o->rows || o->cols) && !reads)
        return misuse("--rows and --cols are for 'isogram store read'");
    if (reads && same_file(words[1], o->common.output))
        return misuse("%s is both read and written", words[1]);
    if (o->common.plot)
        return misuse("a store has no picture");
    if (reads)
        return run_read(o, words[1]);
    if (strcmp(words[0], "info") == 0)
        return run_info(o, words[1]);
    if (strcmp(words[0], "check") == 0)
        return run_check(o, words[1]);
    if (strcmp(words[0], "repair") == 0)
        return run_repair(o, words[1]);
    return misuse("'%s'; it is info, check, repair or read", words[0]);
}

int verb_store(int argc, char **argv)
{
    static const struct option table[] = {{"rows", required_argument, 0, OPTION_ROWS},
                                          {"cols", required_argument, 0, OPTION_COLS},
                                          {"x", required_argument, 0, OPTION_X},
                                          {"y", required_argument, 0, OPTION_Y},
                                          {"memory", required_argument, 0, OPTION_MEMORY},
                                          ROW_OPTIONS,
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    store_verb o = {.x = NULL};
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || !take_option(&o, option, optarg))
            return EXIT_USAGE;
    }
    return dispatch(&o, argc - optind, argv + optind);
}
