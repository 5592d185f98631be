/* What an item of a list is known by when two files are merged: an item with the key of an earlier one replaces it. */
#ifndef COMPOSE_MERGE_KEYS_H
#define COMPOSE_MERGE_KEYS_H

#include "compose/at.h"

/* Add the key of an item; nothing where it equals no other. What is wrong with an item is said when it is read. */
typedef void merge_key_fn(const struct at *item, struct text *key);

void merge_key_whole(const struct at *item, struct text *key); /* all that it says */
void merge_key_port(const struct at *item,
		    struct text *key); /* address, published, target, protocol */
void merge_key_mount(const struct at *item, struct text *key);	/* the path in the container */
void merge_key_device(const struct at *item, struct text *key); /* the same, of a device */
void merge_key_path(const struct at *item, struct text *key);	/* of a tmpfs, a device */
void merge_key_file(const struct at *item,
		    struct text *key); /* the whole path of a file that is read here */
void merge_key_config(const struct at *item, struct text *key); /* the path in the container */
void merge_key_secret(const struct at *item, struct text *key); /* the same, of a secret */
void merge_key_pool(const struct at *item,
		    struct text *key); /* the subnet of a pool of addresses */
void merge_key_host(const struct at *item,
		    struct text *key); /* HOST=ADDRESS, however it is written */

#endif
