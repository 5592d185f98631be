/* The form of the file is that of LMDB 0.9 (data version 1) on 64-bit machines, mdb.c, "Page Header", "Meta Page",
 * "Node". Numbers are in the machine's own order.
 *
 * Invariants: no byte is read before its offset was compared with the file's length; a page is visited once at most, so
 * every walk ends. */
#include "store/lmdb_pages.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "store/lmdb_format.h"

_Static_assert(sizeof(size_t) == 8, "LMDB files of 64-bit machines only");

#define PAGE_HEAD_BYTES 16
#define NODE_HEAD_BYTES 8
#define META_PAGES	2
#define META_MAGIC	0xbeefc0deu
#define META_VERSION	1
#define PAGE_BYTES_MIN	512
#define PAGE_BYTES_MAX	65536
#define TREE_DEPTH_MAX	32
#define MAP_BYTES_MAX	(1ULL << 40)
#define NO_PAGE		UINT64_MAX

#define PAGE_BRANCH	  0x01
#define PAGE_LEAF	  0x02
#define PAGE_OVERFLOW	  0x04
#define PAGE_META	  0x08
#define NODE_BIG	  0x01
#define TREE_INTEGER_KEYS 0x08

/* As in the file. */
struct tree {
	uint32_t pad; /* of the tree of free pages: the size of a page */
	uint16_t flags;
	uint16_t depth;
	uint64_t branch_pages;
	uint64_t leaf_pages;
	uint64_t overflow_pages;
	uint64_t entries;
	uint64_t root;
};

/* As in the file, after the page's head. */
struct meta {
	uint32_t magic;
	uint32_t version;
	uint64_t address;
	uint64_t map_bytes;
	struct tree trees[2]; /* of free pages, of records */
	uint64_t last_page;
	uint64_t transaction;
};

struct page_head {
	uint64_t number;
	uint16_t pad;
	uint16_t flags;
	uint16_t
		lower; /* end of the offsets of nodes; with `upper`, number of pages of a large value */
	uint16_t upper; /* start of the nodes */
};

struct node_head {
	uint16_t low;
	uint16_t high;
	uint16_t flags;
	uint16_t key_len;
};

struct walk {
	const uint8_t *file;
	size_t page_bytes;
	uint64_t pages;	    /* in the file */
	uint64_t pages_max; /* that were ever taken: the last ones may never have been written */
	uint8_t *seen;	    /* one bit per page in the file */
	bool integer_keys;
	bool holds_free_lists;
	struct tree counted;
	struct err *err;
};

/* What a subtree's keys must lie in: from `low` up to but not including `high`; bytes NULL: no bound. */
struct key {
	const uint8_t *bytes;
	size_t len;
};

static enum err_code damaged(struct walk *walk, uint64_t page, const char *what)
{
	return err_set(walk->err, ERR_DAMAGED, "page %llu: %s", (unsigned long long)page, what);
}

static bool see(struct walk *walk, uint64_t page)
{
	if ((walk->seen[page / 8] >> (page % 8)) & 1)
		return false;
	walk->seen[page / 8] |= (uint8_t)(1u << (page % 8));
	return true;
}

static int key_compare(const struct walk *walk, struct key a, struct key b)
{
	if (walk->integer_keys) {
		uint64_t x;
		uint64_t y;
		memcpy(&x, a.bytes, sizeof(x));
		memcpy(&y, b.bytes, sizeof(y));
		return x < y ? -1 : x > y;
	}
	int order = memcmp(a.bytes, b.bytes, a.len < b.len ? a.len : b.len);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Visit a page for the first time. */
static enum err_code enter(struct walk *walk, uint64_t page, struct page_head *ret_head)
{
	if (page < META_PAGES || page >= walk->pages)
		return damaged(walk, page, "is used and is not in the file");
	if (!see(walk, page))
		return damaged(walk, page, "is used twice");
	memcpy(ret_head, walk->file + page * walk->page_bytes, sizeof(*ret_head));
	if (ret_head->number != page)
		return damaged(walk, page, "is another page");
	return ERR_NONE;
}

/* The list of free pages that a record of the first tree holds: a count, then the pages. */
static enum err_code check_free_list(struct walk *walk, uint64_t page, const uint8_t *list,
				     size_t len)
{
	uint64_t n = 0;
	if (len >= sizeof(n))
		memcpy(&n, list, sizeof(n));
	if (len < sizeof(n) || n > len / sizeof(n) - 1)
		return damaged(walk, page, "a list of free pages is cut short");
	for (uint64_t i = 1; i <= n; i++) {
		uint64_t free_page;
		memcpy(&free_page, list + i * sizeof(free_page), sizeof(free_page));
		if (free_page < META_PAGES || free_page >= walk->pages_max)
			return damaged(walk, free_page, "is listed as free and does not exist");
		if (free_page < walk->pages && !see(walk, free_page))
			return damaged(walk, free_page, "is listed as free and in use, or twice");
	}
	return ERR_NONE;
}

/* A value too large for its page lies in pages of its own. */
static enum err_code check_big_value(struct walk *walk, uint64_t page, size_t len)
{
	struct page_head head;
	enum err_code code = enter(walk, page, &head);
	if (code != ERR_NONE)
		return code;
	/* A smaller value that replaced this one may have left pages over. */
	uint64_t n_needed = (PAGE_HEAD_BYTES + len + walk->page_bytes - 1) / walk->page_bytes;
	uint64_t n = (uint64_t)head.lower | (uint64_t)head.upper << 16;
	if (head.flags != PAGE_OVERFLOW || n < n_needed)
		return damaged(walk, page, "is not the large value that it should be");
	for (uint64_t i = 1; i < n; i++) {
		if (page + i >= walk->pages)
			return damaged(walk, page, "a large value goes on after the last page");
		if (!see(walk, page + i))
			return damaged(walk, page + i, "is used twice");
	}
	walk->counted.overflow_pages += n;
	const uint8_t *value = walk->file + page * walk->page_bytes + PAGE_HEAD_BYTES;
	return walk->holds_free_lists ? check_free_list(walk, page, value, len) : ERR_NONE;
}

static enum err_code check_value(struct walk *walk, uint64_t page, const uint8_t *node,
				 const struct node_head *head, size_t room)
{
	size_t len = (size_t)head->low | (size_t)head->high << 16;
	size_t inline_len = head->flags == NODE_BIG ? sizeof(uint64_t) : len;
	const uint8_t *value = node + NODE_HEAD_BYTES + head->key_len;
	if (head->flags != 0 && head->flags != NODE_BIG)
		return damaged(walk, page, "a value is of a kind that is never written");
	if (inline_len > room)
		return damaged(walk, page, "a value is longer than its page");
	walk->counted.entries++;
	if (head->flags == NODE_BIG) {
		uint64_t first;
		memcpy(&first, value, sizeof(first));
		return check_big_value(walk, first, len);
	}
	return walk->holds_free_lists ? check_free_list(walk, page, value, len) : ERR_NONE;
}

/* The i-th node of a page whose head was checked. */
static enum err_code get_node(struct walk *walk, uint64_t page, const struct page_head *head,
			      size_t i, const uint8_t **ret_node, struct node_head *ret_head)
{
	const uint8_t *start = walk->file + page * walk->page_bytes;
	uint16_t offset;
	memcpy(&offset, start + PAGE_HEAD_BYTES + i * sizeof(offset), sizeof(offset));
	if (offset < head->upper || offset % 2 != 0 ||
	    (size_t)offset + NODE_HEAD_BYTES > walk->page_bytes)
		return damaged(walk, page, "a record lies outside of its page");
	memcpy(ret_head, start + offset, sizeof(*ret_head));
	if ((size_t)offset + NODE_HEAD_BYTES + ret_head->key_len > walk->page_bytes)
		return damaged(walk, page, "a key is longer than its page");
	*ret_node = start + offset;
	return ERR_NONE;
}

static enum err_code check_tree_page(struct walk *walk, uint64_t page, int levels, struct key low,
				     struct key high);

static enum err_code check_key(struct walk *walk, uint64_t page, struct key key, struct key last,
			       struct key low, struct key high)
{
	size_t len_max = walk->integer_keys ? sizeof(uint64_t) : 1 + CHANGE_KEY_BYTES_MAX;
	size_t len_min = walk->integer_keys ? sizeof(uint64_t) : 1;
	if (key.len < len_min || key.len > len_max)
		return damaged(walk, page, "a key has a length that is never written");
	if ((last.bytes != NULL && key_compare(walk, last, key) >= 0) ||
	    (low.bytes != NULL && key_compare(walk, key, low) < 0) ||
	    (high.bytes != NULL && key_compare(walk, key, high) >= 0))
		return damaged(walk, page, "a key is out of order");
	return ERR_NONE;
}

static enum err_code check_leaf(struct walk *walk, uint64_t page, const struct page_head *head,
				size_t n, struct key low, struct key high)
{
	struct key last = { 0 };
	walk->counted.leaf_pages++;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *node;
		struct node_head node_head;
		enum err_code code = get_node(walk, page, head, i, &node, &node_head);
		if (code != ERR_NONE)
			return code;
		struct key key = { node + NODE_HEAD_BYTES, node_head.key_len };
		size_t at = (size_t)(key.bytes - (walk->file + page * walk->page_bytes)) + key.len;
		code = check_key(walk, page, key, last, low, high);
		if (code == ERR_NONE)
			code = check_value(walk, page, node, &node_head, walk->page_bytes - at);
		if (code != ERR_NONE)
			return code;
		last = key;
	}
	return ERR_NONE;
}

static uint64_t child_of(const struct node_head *head)
{
	return (uint64_t)head->low | (uint64_t)head->high << 16 | (uint64_t)head->flags << 32;
}

/* The first key of a branch is never looked at: its child begins where the branch begins. */
static enum err_code check_branch(struct walk *walk, uint64_t page, const struct page_head *head,
				  size_t n, int levels, struct key low, struct key high)
{
	walk->counted.branch_pages++;
	const uint8_t *node;
	struct node_head node_head;
	enum err_code code = get_node(walk, page, head, 0, &node, &node_head);
	struct key last = { 0 };
	for (size_t i = 0; code == ERR_NONE && i < n; i++) {
		uint64_t child = child_of(&node_head);
		struct key child_low = i == 0 ? low : last;
		struct key child_high = high;
		if (i + 1 < n) {
			code = get_node(walk, page, head, i + 1, &node, &node_head);
			if (code != ERR_NONE)
				return code;
			child_high = (struct key){ node + NODE_HEAD_BYTES, node_head.key_len };
			code = check_key(walk, page, child_high, last, low, high);
		}
		if (code == ERR_NONE)
			code = check_tree_page(walk, child, levels - 1, child_low, child_high);
		last = child_high;
	}
	return code;
}

static enum err_code check_tree_page(struct walk *walk, uint64_t page, int levels, struct key low,
				     struct key high)
{
	struct page_head head;
	enum err_code code = enter(walk, page, &head);
	if (code != ERR_NONE)
		return code;
	if (head.lower < PAGE_HEAD_BYTES || head.lower > head.upper || head.lower % 2 != 0 ||
	    head.upper > walk->page_bytes)
		return damaged(walk, page, "its head makes no sense");
	size_t n = (size_t)(head.lower - PAGE_HEAD_BYTES) / 2;
	if (levels == 1 && head.flags == PAGE_LEAF && n > 0)
		return check_leaf(walk, page, &head, n, low, high);
	if (levels > 1 && head.flags == PAGE_BRANCH && n > 0)
		return check_branch(walk, page, &head, n, levels, low, high);
	return damaged(walk, page, "is of another kind than its place needs");
}

static enum err_code check_tree(struct walk *walk, const struct tree *tree, bool free_lists)
{
	const char *name = free_lists ? "free pages" : "records";
	walk->integer_keys = free_lists;
	walk->holds_free_lists = free_lists;
	walk->counted = (struct tree){ 0 };
	if (tree->flags != (free_lists ? TREE_INTEGER_KEYS : 0) || tree->depth > TREE_DEPTH_MAX ||
	    (tree->root == NO_PAGE) != (tree->depth == 0))
		return err_set(walk->err, ERR_DAMAGED, "the head of the %s makes no sense", name);
	if (tree->root != NO_PAGE) {
		enum err_code code = check_tree_page(walk, tree->root, tree->depth,
						     (struct key){ 0 }, (struct key){ 0 });
		if (code != ERR_NONE)
			return code;
	}
	if (walk->counted.branch_pages != tree->branch_pages ||
	    walk->counted.leaf_pages != tree->leaf_pages ||
	    walk->counted.overflow_pages != tree->overflow_pages ||
	    walk->counted.entries != tree->entries)
		return err_set(walk->err, ERR_DAMAGED, "the %s are not as many as counted", name);
	return ERR_NONE;
}

/* Each transaction writes the older of two heads, the first one when its number is even; the newer one counts. The size
 * of a page stands in the first. */
static enum err_code read_metas(const uint8_t *file, size_t file_bytes,
				struct meta ret_metas[META_PAGES], struct err *err)
{
	size_t page_bytes = 0;
	for (uint64_t i = 0; i < META_PAGES; i++) {
		struct page_head head;
		struct meta *meta = &ret_metas[i];
		size_t at = i * page_bytes;
		if (at + sizeof(head) + sizeof(*meta) > file_bytes)
			return err_set(err, ERR_DAMAGED, "the file ends in its head");
		memcpy(&head, file + at, sizeof(head));
		memcpy(meta, file + at + sizeof(head), sizeof(*meta));
		page_bytes = ret_metas[0].trees[0].pad;
		if (head.number != i || head.flags != PAGE_META || meta->magic != META_MAGIC ||
		    meta->version != META_VERSION || meta->trees[0].pad != page_bytes ||
		    page_bytes < PAGE_BYTES_MIN || page_bytes > PAGE_BYTES_MAX ||
		    (page_bytes & (page_bytes - 1)) != 0)
			return err_set(err, ERR_DAMAGED, "its head is not that of an LMDB file");
	}
	/* A head whose number is damaged must not pass for the older one: what was committed last would be gone. */
	uint64_t even = ret_metas[0].transaction;
	uint64_t odd = ret_metas[1].transaction;
	if ((even != 0 || odd != 0) &&
	    (even % 2 != 0 || odd % 2 != 1 || (even + 1 != odd && odd + 1 != even)))
		return err_set(err, ERR_DAMAGED, "its two heads do not follow each other");
	return ERR_NONE;
}

/* The page below `page` in which the key would be. */
static enum err_code choose_child(struct walk *walk, uint64_t page, const struct page_head *head,
				  struct key key, uint64_t *ret_child)
{
	size_t n = (size_t)(head->lower - PAGE_HEAD_BYTES) / 2;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *node;
		struct node_head node_head;
		enum err_code code = get_node(walk, page, head, i, &node, &node_head);
		if (code != ERR_NONE)
			return code;
		struct key first = { node + NODE_HEAD_BYTES, node_head.key_len };
		if (i > 0 && key_compare(walk, key, first) < 0)
			break;
		*ret_child = child_of(&node_head);
	}
	return ERR_NONE;
}

/* The value of a key whose value is small, where the tree has it and makes sense on the way. */
static bool find_value(struct walk *walk, const struct tree *tree, struct key key,
		       MDB_val *ret_value)
{
	uint64_t page = tree->root;
	for (int level = tree->depth; level > 0 && level <= TREE_DEPTH_MAX; level--) {
		struct page_head head;
		if (page < META_PAGES || page >= walk->pages)
			return false;
		memcpy(&head, walk->file + page * walk->page_bytes, sizeof(head));
		if (head.lower < PAGE_HEAD_BYTES || head.lower > head.upper ||
		    head.upper > walk->page_bytes ||
		    head.flags != (level == 1 ? PAGE_LEAF : PAGE_BRANCH))
			return false;
		if (level > 1 && choose_child(walk, page, &head, key, &page) != ERR_NONE)
			return false;
		size_t n = level == 1 ? (size_t)(head.lower - PAGE_HEAD_BYTES) / 2 : 0;
		for (size_t i = 0; i < n; i++) {
			const uint8_t *node;
			struct node_head node_head;
			if (get_node(walk, page, &head, i, &node, &node_head) != ERR_NONE)
				return false;
			struct key found = { node + NODE_HEAD_BYTES, node_head.key_len };
			size_t len = (size_t)node_head.low | (size_t)node_head.high << 16;
			size_t at = (size_t)(found.bytes - walk->file) % walk->page_bytes;
			if (key_compare(walk, key, found) != 0 || node_head.flags != 0 ||
			    at + found.len + len > walk->page_bytes)
				continue;
			*ret_value = (MDB_val){ len, (void *)(uintptr_t)(found.bytes + found.len) };
			return true;
		}
	}
	return false;
}

/* The transaction that the records under a head say they are of; 0: they do not say. */
static uint64_t transaction_of(struct walk *walk, const struct meta *meta)
{
	MDB_val sealed;
	MDB_val payload;
	struct summary summary;
	struct key key = { format_summary_key.bytes, format_summary_key.len };
	bool said = find_value(walk, &meta->trees[1], key, &sealed) &&
		    format_unseal(format_key_val(&format_summary_key), sealed, &payload) &&
		    summary_decode(payload, &summary);
	return said ? summary.transaction : 0;
}

enum err_code lmdb_pages_check(const uint8_t *file, size_t file_bytes, struct err *err)
{
	struct meta metas[META_PAGES];
	enum err_code code = read_metas(file, file_bytes, metas, err);
	if (code != ERR_NONE)
		return code;
	int newer = metas[0].transaction < metas[1].transaction;
	const struct meta meta = metas[newer];
	size_t page_bytes = meta.trees[0].pad;
	uint64_t pages_there = file_bytes / page_bytes;
	/* LMDB reserves as much address space as the head says. */
	if (meta.last_page < META_PAGES - 1 || meta.map_bytes > MAP_BYTES_MAX ||
	    meta.last_page >= meta.map_bytes / page_bytes)
		return err_set(err, ERR_DAMAGED, "its head makes no sense");
	struct walk walk = {
		.file = file,
		.page_bytes = page_bytes,
		.pages = meta.last_page + 1 < pages_there ? meta.last_page + 1 : pages_there,
		.pages_max = meta.last_page + 1,
		.err = err,
	};
	uint64_t own = transaction_of(&walk, &meta);
	if ((own != 0 && own != meta.transaction) ||
	    transaction_of(&walk, &metas[1 - newer]) > meta.transaction)
		return err_set(err, ERR_DAMAGED,
			       "its heads and its records do not agree which is the last "
			       "transaction");
	walk.seen = base_calloc(walk.pages / 8 + 1, 1);
	code = check_tree(&walk, &meta.trees[1], false);
	if (code == ERR_NONE)
		code = check_tree(&walk, &meta.trees[0], true);
	base_free(walk.seen);
	return code;
}

int lmdb_pages_align_heads(uint8_t *heads, size_t heads_bytes, size_t *ret_page_bytes)
{
	struct meta metas[META_PAGES];
	if (read_metas(heads, heads_bytes, metas, NULL) != ERR_NONE)
		return -1;
	int newer = metas[0].transaction < metas[1].transaction;
	uint64_t older_transaction = metas[1 - newer].transaction;
	metas[1 - newer] = metas[newer];
	metas[1 - newer].transaction = older_transaction;
	*ret_page_bytes = metas[newer].trees[0].pad;
	memcpy(heads + (size_t)(1 - newer) * *ret_page_bytes + PAGE_HEAD_BYTES, &metas[1 - newer],
	       sizeof(struct meta));
	return newer;
}
