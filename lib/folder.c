#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

enum { MOST_LINKS = 40 }; // as Linux follows

// A way through folders: the one that is reached, and what is left of the path.
typedef struct walk {
    int at;
    char left[2 * PATH_MAX];
    int links;
    const char *why;
} walk;

static bool stop(walk *w, const char *why)
{
    w->why = why;
    return false;
}

static bool move_to(walk *w, int folder)
{
    if (folder < 0)
        return stop(w, strerror(errno));
    if (w->at >= 0)
        close(w->at);
    w->at = folder;
    return true;
}

// To where a path begins.
static bool start(walk *w, const char *path)
{
    return move_to(w, open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// Whether a link of the folder that is reached is no stranger's. Nobody but its owner can change a link there that is
// trusted afterwards: such folders are no stranger's either, or sticky, or lost anyhow.
static bool trusted(const walk *w, const struct stat *link)
{
    struct stat folder;
    if (link->st_uid == geteuid() || link->st_uid == 0)
        return true;
    return fstat(w->at, &folder) == 0 && folder.st_uid == link->st_uid && (folder.st_mode & S_IWOTH) == 0;
}

// Puts what a link says in front of the rest of the path.
static bool follow(walk *w, const char *name)
{
    char target[PATH_MAX], rest[sizeof w->left];
    ssize_t length = readlinkat(w->at, name, target, sizeof target - 1);
    if (length < 0)
        return stop(w, strerror(errno));
    target[length] = 0;
    memcpy(rest, w->left, strlen(w->left) + 1);
    if (++w->links > MOST_LINKS)
        return stop(w, strerror(ELOOP));
    if (snprintf(w->left, sizeof w->left, "%s/%s", target, rest) >= (int)sizeof w->left)
        return stop(w, strerror(ENAMETOOLONG));
    return target[0] != '/' || start(w, target);
}

// One name further: its folder, or what the link of that name says.
static bool enter(walk *w, const char *name, bool make)
{
    struct stat about;
    if (fstatat(w->at, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT || !make || (mkdirat(w->at, name, 0700) != 0 && errno != EEXIST) ||
            fstatat(w->at, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
            return stop(w, strerror(errno));
    }
    if (!S_ISLNK(about.st_mode))
        return move_to(w, openat(w->at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return trusted(w, &about) ? follow(w, name) : stop(w, "a symbolic link on the way is another user's");
}

int isg_folder_open(const char *path, bool make, const char **why)
{
    walk w = {.at = -1};
    char name[NAME_MAX + 1];
    bool well = path[0] ? start(&w, path) : stop(&w, strerror(ENOENT));
    if (well && strlen(path) >= PATH_MAX)
        well = stop(&w, strerror(ENAMETOOLONG));
    if (well)
        memcpy(w.left, path, strlen(path) + 1);
    while (well) {
        size_t slashes = strspn(w.left, "/"), length = strcspn(w.left + slashes, "/");
        if (length == 0)
            break;
        if (length > NAME_MAX) {
            well = stop(&w, strerror(ENAMETOOLONG));
            break;
        }
        memcpy(name, w.left + slashes, length);
        name[length] = 0;
        memmove(w.left, w.left + slashes + length, strlen(w.left + slashes + length) + 1);
        well = enter(&w, name, make);
    }
    // So far it was only passed through; whoever asked for it may want to read or sync it.
    int folder = well ? openat(w.at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    *why = well && folder < 0 ? strerror(errno) : w.why;
    if (w.at >= 0)
        close(w.at);
    return folder;
}
