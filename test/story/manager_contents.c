/* Configs and secrets of stories: their bytes say which hash they are behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_story.h"

static void put_content(struct content_request *content, const char *key, const char *hash,
			size_t len)
{
	struct text data;
	string_set(&content->key, key);
	string_set(&content->hash, hash);
	text_init(&data, len + 160);
	text_addf(&data, "bytes of %s", hash);
	while (data.len < len)
		text_add_char(&data, '.');
	base_free(content->data);
	content->data = text_take(&data);
}

void story_content(struct story *story, struct job_spec *spec, int kind, const char *key,
		   int version)
{
	char hash[100];
	bool secret = kind == CONTENT_SECRET;
	void *requests = secret ? (void *)&story->request.secrets : (void *)&story->request.configs;
	void *uses = secret ? (void *)&spec->secrets : (void *)&spec->configs;
	struct list *list = requests;
	struct content_request *content = list->items;
	struct content_use *use = NULL;
	text_print(hash, sizeof(hash), "%s-%d", key, version);
	size_t i = 0;
	while (i < list->n && strcmp(content[i].key, key) != 0)
		i++;
	put_content(i < list->n ? &content[i] : list_add(requests, sizeof(*content)), key, hash,
		    story->content_bytes);
	list = uses;
	use = list->items;
	for (i = 0; i < list->n && strcmp(use[i].source, key) != 0;)
		i++;
	use = i < list->n ? &use[i] : list_add(uses, sizeof(*use));
	string_set(&use->source, key);
	string_set(&use->hash, hash);
}

void story_sends(struct story *story, const char *expected)
{
	assert_string_equal(text_string(&story->sent), expected);
	text_clear(&story->sent);
}

size_t story_keeps(struct story *story, const char *project)
{
	const struct content_shelf *shelf =
		cluster_contents(manager_cluster(story->manager), project);
	return shelf ? shelf->n : 0;
}
