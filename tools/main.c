// The isogram command: finds the verb and hands over.
#include "options.h"
#include "report.h"
#include "verbs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} verbs[] = {
    {"devices", verb_devices, "what OpenCL devices are here, which one is chosen, what its probe found"},
    {"grid", verb_grid, "a Gaussian grid: the stencil that smooths an image"},
    {"filter", verb_filter, "an array in a .npy file, smoothed or differentiated"},
    {"convolve", verb_convolve, "an array in a .npy file, convolved with a stencil in another"},
    {"gram", verb_gram, "the Gram matrix of points in a .npy file"},
    {"apply", verb_apply, "the product of a Gram operator that is never stored with vectors"},
    {"gradient", verb_gradient,
     "derivatives of a weighted sum over an operator, by its points and its kernel's numbers"},
    {"kde", verb_kde, "a kernel density estimate, at places or on a grid"},
    {"knn", verb_knn, "the nearest points"},
    {"regress", verb_regress, "means of values, weighted by a covariance function"},
    {"kernels", verb_kernels, "the covariance functions there are"},
    {"store", verb_store, "a matrix that isogram gram --store wrote: looked at, checked, repaired, read"},
    {"verify", verb_verify, "the certificate: whether a device gives the contract's bits"},
    {"bench", verb_bench, "this device against its own limits, measured in the same run"},
};

static void help(void)
{
    printf("Gaussian kernels on any OpenCL device, the same bits on every one.\n\nusage: isogram VERB ...\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        printf("  %-10s %s\n", verbs[i].name, verbs[i].summary);
    printf("\n'isogram VERB --help' tells the rest. 'isogram --version' prints %s.\n", isg_version());
}

static int dispatch(int argc, char **argv)
{
    report_watch();
    signal(SIGPIPE, SIG_IGN); // a closed pipe is a write error with a message, not a silent death
    if (argc < 2) {
        help();
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        help();
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("isogram %s\n", isg_version());
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    return misuse("no verb is called '%s'; 'isogram --help' lists them", argv[1]);
}

int main(int argc, char **argv)
{
    int code = dispatch(argc, argv);
    // What was printed may have been lost on its way, to a full disk or a closed pipe.
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_DONE)
        code = complain("standard output: cannot be written");
    return code;
}
