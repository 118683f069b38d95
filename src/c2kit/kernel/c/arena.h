/* Memory that is divided among columns. */
#ifndef C2KIT_ARENA_H
#define C2KIT_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* One block of words, which Python made, and what of it is taken. While the first pass counts, there is no block. */
struct arena {
    uint8_t *block;
    int64_t taken;
};

static inline void *take(struct arena *arena, int64_t bytes)
{
    void *place = arena->block ? arena->block + arena->taken : NULL;
    arena->taken += (bytes + 7) / 8 * 8;
    return place;
}

#endif
