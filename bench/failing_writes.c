/* Makes one call that writes fail, of all processes that are started with it (LD_PRELOAD), counted in a file that they share.
 *
 * FAULT_UNDER  folder: calls for files elsewhere are let through, and not counted
 * FAULT_COUNT  file of 8 bytes: how many calls there were
 * FAULT_AT     the call that fails, counted from 1; 0 for none
 * FAULT_ERRNO  with what; FAULT_STAYS=1 makes all that follow fail too
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static long *count;
static long at, stays;
static int with;
static const char *under;

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("FAULT_COUNT");
    under = getenv("FAULT_UNDER");
    if (!file || !under)
        return;
    at = atol(getenv("FAULT_AT"));
    with = atoi(getenv("FAULT_ERRNO"));
    stays = atol(getenv("FAULT_STAYS"));
    int (*plain)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = plain(file, O_RDWR | O_CLOEXEC);
    void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    count = shared == MAP_FAILED ? NULL : shared;
}

static int fails(const char *path)
{
    if (!count || strncmp(path, under, strlen(under)))
        return 0;
    long now = __sync_add_and_fetch(count, 1);
    if (!at || (stays ? now < at : now != at))
        return 0;
    errno = with;
    return 1;
}

static int fails_for(int fd)
{
    char link[64], path[PATH_MAX];
    int before = errno;
    if (!count)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails(path);
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define WRITES(flags) (((flags) & O_ACCMODE) != O_RDONLY || ((flags) & O_CREAT))

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return WRITES(flags) && fails(path) ? -1 : real(path, flags, mode); \
    }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return WRITES(flags) && fails(path) ? -1 : real(folder, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    return fails_for(fd) ? -1 : real(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *data, int parts)
{
    REAL(writev);
    return fails_for(fd) ? -1 : real(fd, data, parts);
}

int fsync(int fd)
{
    REAL(fsync);
    return fails_for(fd) ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    return fails(to) ? -1 : real(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    return fails(path) ? -1 : real(path, mode);
}
