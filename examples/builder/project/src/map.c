#include "map.h"
#include "die.h"
#include "hash.h"
#include <stdlib.h>
#include <string.h>

/* The place of a name, or the free one where it would be. */
static size_t *place_of(const struct map *map, struct slice name)
{
    size_t mask = 2 * map->room - 1;
    size_t at = hash_bytes(name.start, name.length) & mask;
    while (map->places[at] && !slice_is(name, map->entries[map->places[at] - 1].name))
        at = (at + 1) & mask;
    return &map->places[at];
}

static void grow(struct map *map)
{
    map->room = map->room ? 2 * map->room : 8;
    map->entries = need_more(map->entries, map->room, sizeof *map->entries);
    free(map->places);
    map->places = need(2 * map->room, sizeof *map->places);
    for (size_t i = 0; i < map->count; i++)
        *place_of(map, slice_of(map->entries[i].name)) = i + 1;
}

long *map_find(const struct map *map, struct slice name)
{
    size_t place = map->room ? *place_of(map, name) : 0;
    return place ? &map->entries[place - 1].value : NULL;
}

long *map_at(struct map *map, struct slice name)
{
    long *found = map_find(map, name);
    if (found)
        return found;
    if (map->count == map->room)
        grow(map);
    char *own = need(name.length + 1, 1);
    memcpy(own, name.start, name.length);
    *place_of(map, name) = map->count + 1;
    map->entries[map->count] = (struct map_entry){ own, 0 };
    return &map->entries[map->count++].value;
}

void map_free(struct map *map)
{
    for (size_t i = 0; i < map->count; i++)
        free(map->entries[i].name);
    free(map->entries);
    free(map->places);
    *map = (struct map){ 0 };
}
