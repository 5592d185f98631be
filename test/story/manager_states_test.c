/* The rows of the state table, as the manager sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "manager_story.h"

static void a_project_goes_in_and_its_tasks_run(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_job(&story, "web", 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "node alpha joined\n"
			    "node alpha is ready\n"
			    "job shop/web revision 1 accepted\n"
			    "shop/web.1 scheduled on alpha\n"
			    "shop/web.2 scheduled on alpha\n"
			    "shop/web.1 running\n"
			    "shop/web.2 running\n"
			    "job shop/web is running: 2 of 2 ready\n");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_project_goes_in_and_its_tasks_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
