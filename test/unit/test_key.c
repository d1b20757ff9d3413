/*-------------------------------------------------------------------------
 *
 * test_key.c
 *	  Which spellings of an identifier are one key, and the one that is shown.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog.h"

#include "tap.h"

#define UUID	"8891fd40-5470-4ff2-a74f-6e61ee44d3fc"
#define UPPER	"8891FD40-5470-4FF2-A74F-6E61EE44D3FC"
#define URL_ID	"49HFLTr6xytgrPly3PFsNC"

static const SigmaKind kinds[] = {SIGMA_PLAIN, SIGMA_ID, SIGMA_INODE};

/* Texts and how each kind shows them. */
static const struct
{
	const char *text;
	const char *shown[3];
}			cases[] =
{
	{UUID, {UUID, UUID, UUID}},
	{UPPER, {UPPER, UUID, UUID}},
	{URL_ID, {URL_ID, URL_ID, UUID}},
	{"inode-" URL_ID, {"inode-" URL_ID, "inode-" URL_ID, UUID}},
	{"inode-" UPPER, {"inode-" UPPER, "inode-" UPPER, UUID}},
	/* the least and the largest, and one more than that */
	{"00000000000000000", {"00000000000000000", "00000000000000000", "00000000-0000-0000-0000-000000000000"}},
	{"7N42dgm5tFLK9N8MT7fHC7", {"7N42dgm5tFLK9N8MT7fHC7", "7N42dgm5tFLK9N8MT7fHC7", "ffffffff-ffff-ffff-ffff-ffffffffffff"}},
	{"7N42dgm5tFLK9N8MT7fHC8", {"7N42dgm5tFLK9N8MT7fHC8", "7N42dgm5tFLK9N8MT7fHC8", "7N42dgm5tFLK9N8MT7fHC8"}},
	/* identifiers of other forms are exact */
	{"CPbEdA26GNQ2cM2Ra2BeO0fa5Awz1", {"CPbEdA26GNQ2cM2Ra2BeO0fa5Awz1", "CPbEdA26GNQ2cM2Ra2BeO0fa5Awz1", "CPbEdA26GNQ2cM2Ra2BeO0fa5Awz1"}},
	{"K3jUTvYYdP", {"K3jUTvYYdP", "K3jUTvYYdP", "K3jUTvYYdP"}},
	{"k3jutvyydp", {"k3jutvyydp", "k3jutvyydp", "k3jutvyydp"}},
	{UUID " ", {UUID " ", UUID " ", UUID " "}},
	{"8891fd40-5470-4ff2-a74f-6e61ee44d3fg", {"8891fd40-5470-4ff2-a74f-6e61ee44d3fg", "8891fd40-5470-4ff2-a74f-6e61ee44d3fg", "8891fd40-5470-4ff2-a74f-6e61ee44d3fg"}},
	{"8891fd4005470-4ff2-a74f-6e61ee44d3fc", {"8891fd4005470-4ff2-a74f-6e61ee44d3fc", "8891fd4005470-4ff2-a74f-6e61ee44d3fc", "8891fd4005470-4ff2-a74f-6e61ee44d3fc"}},
	{"inode-", {"inode-", "inode-", "inode-"}},
	{"", {"", "", ""}},
};

void
test_key(void)
{
	tap_begin("keys: how each kind is shown");
	for (int i = 0; i < (int) lengthof(cases); i++)
		for (int k = 0; k < (int) lengthof(kinds); k++)
		{
			char	   *text = pstrdup(cases[i].text);
			const char *shown = sigma_key_spelling(kinds[k], text);

			EXPECT(strcmp(shown, cases[i].shown[k]) == 0, "kind %d of %s is shown as %s", kinds[k], text, shown);
			EXPECT(strcmp(text, cases[i].text) == 0, "%s was changed", cases[i].text);
			EXPECT(sigma_key_is_shown(kinds[k], text) == (strcmp(shown, text) == 0), "kind %d: can %s be shown", kinds[k], text);
		}
	EXPECT(sigma_key_spelling(SIGMA_INODE, NULL) == NULL, "NULL");
	tap_end();

	tap_begin("keys: two texts are one key if and only if they are shown alike");
	for (int i = 0; i < (int) lengthof(cases); i++)
		for (int j = 0; j < (int) lengthof(cases); j++)
			for (int k = 0; k < (int) lengthof(kinds); k++)
				EXPECT(sigma_same_key(kinds[k], cases[i].text, cases[j].text) ==
					   (strcmp(cases[i].shown[k], cases[j].shown[k]) == 0),
					   "kind %d: %s and %s", kinds[k], cases[i].text, cases[j].text);
	tap_end();
}
