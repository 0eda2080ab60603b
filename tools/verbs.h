// The verbs of the command, one file each. argv[0] is the verb. Each returns an exit code.
#ifndef ISG_TOOLS_VERBS_H
#define ISG_TOOLS_VERBS_H

int verb_apply(int argc, char **argv);
int verb_bench(int argc, char **argv);
int verb_convolve(int argc, char **argv);
int verb_devices(int argc, char **argv);
int verb_filter(int argc, char **argv);
int verb_gradient(int argc, char **argv);
int verb_grid(int argc, char **argv);
int verb_kde(int argc, char **argv);
int verb_kernels(int argc, char **argv);
int verb_knn(int argc, char **argv);
int verb_regress(int argc, char **argv);
int verb_store(int argc, char **argv);
int verb_verify(int argc, char **argv);
int verb_gram(int argc, char **argv);

#endif
