// Folders by descriptor, reached without being led astray. Libc and POSIX only.
#ifndef ISG_LIB_FOLDER_H
#define ISG_LIB_FOLDER_H

#include <stdbool.h>

// Opens the folder that a path names, for use with openat; what is done there later goes to that folder, whatever the
// path names by then. make: folders that are missing are made, with mode 0700.
//
// Of the symbolic links on the way those are followed that this user or root has made, and those that whoever rules the
// folder they lie in has made, if not everybody may write to it. Any other was laid there by a stranger: in /tmp, say.
// -1: *why says why.
int isg_folder_open(const char *path, bool make, const char **why);

#endif
