/* A YAML document as a tree that remembers where everything stood. Built from libyaml's events, so that hostile
 * text is refused while it is read: depth, nodes and bytes after alias expansion are bounded, duplicate keys,
 * second documents, foreign tags and NUL characters are errors. Aliases share nodes; merge keys (`<<`) are applied. */
#ifndef COMPOSE_YAML_TREE_H
#define COMPOSE_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

/* How a value meets the one of an earlier file: the tags !reset and !override. */
enum tree_merge {
	TREE_MERGE,
	TREE_RESET,    /* neither is left */
	TREE_OVERRIDE, /* it alone is left */
};

struct pairs;

/* Where a text comes from, and what it sees. */
struct source {
	char *name;			 /* as messages show it: "compose.yaml" */
	char *directory;		 /* absolute; relative paths in it start here */
	const struct pairs *environment; /* its variables, borrowed */
};

struct tree_node;

struct tree_entry {
	struct tree_node *key; /* a scalar */
	struct tree_node *value;
};

/* Owned by the tree; a node may have several parents (aliases). */
struct tree_node {
	enum tree_kind kind;
	int line;   /* from 1 */
	int column; /* from 1, in characters */
	enum tree_merge merge;
	const struct source *source; /* borrowed; NULL: the tree has none */
	/* TREE_SCALAR */
	char *text;	   /* never NULL, no NUL inside */
	bool is_string;	   /* quoted, block or tagged !!str: a string whatever it looks like */
	bool interpolated; /* variables in `text` are already replaced */
	/* TREE_LIST: items; TREE_MAP: entries, keys unique, own keys before merged ones */
	size_t n;
	struct tree_node **items;
	struct tree_entry *entries;
	/* What the node costs with its aliases written out. */
	int64_t expanded_nodes;
	int64_t expanded_bytes;
	bool open; /* still being read: an alias to it would be a cycle */
};

struct tree {
	struct tree_node *root; /* NULL: the text holds no document */
	struct tree_node **nodes;
	size_t n_nodes;
	size_t capacity;
	bool has_reset; /* a value of it is TREE_RESET */
};

/* What a scalar means where more than a string is allowed. */
enum scalar_type { SCALAR_STRING, SCALAR_NULL, SCALAR_BOOL, SCALAR_INTEGER, SCALAR_FLOAT };

/* Parse. `file_name` begins err->field ("compose.yaml:3:7"). On failure `*ret_tree` is untouched. ERR_SYNTAX,
 * ERR_INVALID (duplicate keys, wrong merges), ERR_UNSUPPORTED (tags), ERR_TOO_LARGE (limits). */
enum err_code tree_parse(const char *text, size_t len, const char *file_name, struct tree *ret_tree,
			 struct err *err) WARN_UNUSED;

/* The same of a text that may be merged with others: nodes know their source, which outlives them, and the tags !reset
 * and !override are allowed before the value of a key. */
enum err_code tree_parse_source(const char *text, size_t len, const struct source *source,
				struct tree *ret_tree, struct err *err) WARN_UNUSED;

void tree_release(struct tree *tree);

/* A new node of the tree that stands where `like` does; its text is "", its items or entries are none. */
struct tree_node *tree_add(struct tree *tree, enum tree_kind kind, const struct tree_node *like);

/* The value of a key, borrowed; NULL when absent. */
struct tree_node *tree_get(const struct tree_node *map, const char *key);

/* The entry of a key, borrowed; NULL when absent. */
const struct tree_entry *tree_entry_of(const struct tree_node *map, const char *key);

/* Type of a scalar's text as YAML's core schema reads it. */
enum scalar_type tree_scalar_type(const struct tree_node *scalar);

#endif
