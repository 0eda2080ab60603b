// isogram devices: what is here, what would be chosen and why, what each device was found to do.
#include "report.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEVICES = 64 };

static const char *yes_no(int value)
{
    return value ? "yes" : "no";
}

static void print_precision(const char *name, const char *contract, const isg_probe *p, bool wide)
{
    const char *subnormals = (wide ? p->subnormals_f64 : p->subnormals_f32) ? "kept" : "flushed";
    double cost = wide ? p->fma_cost_f64 : p->fma_cost_f32;
    if (!(wide ? p->trusted_f64 : p->trusted_f32)) {
        printf("      %s: not used: it cannot keep the contract\n", name);
        return;
    }
    printf("      %s: %s", name, contract);
    if (wide ? p->fma_by_integers_f64 : p->fma_by_integers_f32)
        printf(", its fma by integer operations");
    if (!(wide ? p->fma_fused_f64 : p->fma_fused_f32))
        printf(" (the device's own does not round once)");
    else
        printf(" (the device's own takes %.2g of a multiply and an add)", cost);
    printf(", subnormals %s\n", subnormals);
}

static cJSON *probe_json(const isg_probe *p, bool wide)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddBoolToObject(o, "trusted", wide ? p->trusted_f64 : p->trusted_f32);
    cJSON_AddBoolToObject(o, "fma_fused", wide ? p->fma_fused_f64 : p->fma_fused_f32);
    cJSON_AddBoolToObject(o, "fma_subnormals", wide ? p->fma_subnormals_f64 : p->fma_subnormals_f32);
    cJSON_AddBoolToObject(o, "fma_by_integers", wide ? p->fma_by_integers_f64 : p->fma_by_integers_f32);
    cJSON_AddNumberToObject(o, "fma_cost", wide ? p->fma_cost_f64 : p->fma_cost_f32);
    cJSON_AddBoolToObject(o, "subnormals", wide ? p->subnormals_f64 : p->subnormals_f32);
    return o;
}

static void describe(const isg_device *d, isg_context *context, const isg_error *error, bool chosen, bool print,
                     cJSON *entry)
{
    if (print) {
        printf("%s %d:%d  %s\n", chosen ? "->" : "  ", (int)d->platform_index, (int)d->device_index, d->name);
        printf("      %s, %d units at %d MHz, %.1f GiB, %s memory; %s, %s, driver %s\n",
               isg_device_class_name(d->device_class), (int)d->compute_units, (int)d->clock_mhz,
               (double)d->global_bytes / 0x1p30, d->unified_memory ? "shared" : "own", d->platform, d->version,
               d->driver);
    }
    if (!context) {
        if (print)
            printf("      not usable: %s\n", error->message);
        cJSON_AddStringToObject(entry, "error", error->message);
        return;
    }
    const isg_probe *p = isg_context_probe(context);
    cJSON_AddBoolToObject(entry, "contracts_when_told_not_to", p->contracts);
    cJSON_AddBoolToObject(entry, "rounds_to_nearest", p->rounds_to_nearest);
    cJSON_AddBoolToObject(entry, "integers_64", p->integers_64);
    cJSON_AddBoolToObject(entry, "whole_loops", p->whole_loops);
    cJSON_AddItemToObject(entry, "f32", probe_json(p, false));
    if (d->lanes_f64)
        cJSON_AddItemToObject(entry, "f64", probe_json(p, true));
    if (!print)
        return;
    print_precision("f32", isg_context_contract(context, ISG_PRECISION_F32), p, false);
    if (d->lanes_f64)
        print_precision("f64", isg_context_contract(context, ISG_PRECISION_F64), p, true);
    else
        printf("      f64: no\n");
    printf("      contraction obeyed: %s; rounds to nearest: %s; lanes %d (f32), %d (f64)\n", yes_no(!p->contracts),
           yes_no(p->rounds_to_nearest), (int)d->lanes_f32, (int)d->lanes_f64);
}

static const char *reason(const common_options *common)
{
    const char *from_environment = getenv("ISOGRAM_DEVICE");
    if (common->device)
        return "--device";
    return from_environment && *from_environment ? "ISOGRAM_DEVICE"
                                                 : "auto: the best class of device, then the fastest";
}

int verb_devices(int argc, char **argv)
{
    static const struct option table[] = {COMMON_OPTIONS, {0, 0, 0, 0}};
    common_options common = {0};
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            printf("usage: isogram devices [--device SPEC] [--json]\n\n"
                   "Lists the OpenCL devices, best first; -> marks the one that SPEC chooses.\n\n"
                   "      --device SPEC     auto, gpu, cpu, accelerator, PLATFORM:DEVICE or a part of a name\n"
                   "      --json            for programs\n"
                   "      --verbose         say what the library does\n");
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || take_common_option(&common, option, optarg) < 0)
            return EXIT_USAGE;
    }
    if (common.output || common.plot)
        return misuse("devices writes no file; %s is of no use", common.output ? "--output" : "--plot");
    if (optind < argc)
        return misuse("'%s' is one argument too many", argv[optind]);

    isg_device *devices = calloc(MOST_DEVICES, sizeof *devices);
    isg_error error = {ISG_OK, ""};
    int32_t count = 0;
    if (!devices)
        return complain("no memory");
    isg_status st = isg_device_list(devices, MOST_DEVICES, &count, &error);
    if (st && count == 0) {
        free(devices);
        return complain("%s", error.message);
    }
    if (st) // the others are of use
        warn("%s; what does not answer is left out", error.message);
    isg_context *chosen = open_context(&common);
    cJSON *report = report_new("devices", chosen, ISG_PRECISION_DEFAULT);
    cJSON *list = cJSON_AddArrayToObject(report, "devices");
    for (int32_t i = 0; i < count && i < MOST_DEVICES; i++) {
        char spec[32];
        snprintf(spec, sizeof spec, "%d:%d", (int)devices[i].platform_index, (int)devices[i].device_index);
        const isg_device *best = chosen ? isg_context_device(chosen) : NULL;
        bool is_chosen =
            best && best->platform_index == devices[i].platform_index && best->device_index == devices[i].device_index;
        isg_context *context = NULL;
        isg_error why = {ISG_OK, ""};
        if (!is_chosen)
            isg_context_create(&context,
                               isg_context_params(.device = spec, .arithmetic = common.arithmetic, .error = &why));
        cJSON *entry = report_device(&devices[i]);
        cJSON_AddBoolToObject(entry, "chosen", is_chosen);
        describe(&devices[i], is_chosen ? chosen : context, &why, is_chosen, !common.json, entry);
        cJSON_AddItemToArray(list, entry);
        isg_context_destroy(&context);
    }
    if (chosen && !common.json)
        printf("chosen by %s\n", reason(&common));
    int code = report_finish(report, common.json);
    if (!chosen)
        code = EXIT_FAILED;
    isg_context_destroy(&chosen);
    free(devices);
    return code;
}
