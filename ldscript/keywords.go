package ldscript

import "strings"

// What is a keyword depends on the mode; elsewhere the same word is a name.
var (
	scriptWords = words(`MEMORY REGION_ALIAS LD_FEATURE VERSION ENTRY EXTERN MAP TARGET SEARCH_DIR OUTPUT INPUT GROUP
		FORCE_COMMON_ALLOCATION FORCE_GROUP_ALLOCATION INHIBIT_COMMON_ALLOCATION SECTIONS OVERWRITE_SECTIONS INSERT AFTER BEFORE STARTUP
		OUTPUT_FORMAT OUTPUT_ARCH HLL SYSLIB FLOAT NOFLOAT PHDRS o org l len ` + bothWords)
	exprWords = words(`NOLOAD READONLY DSECT COPY INFO TYPE ` + bothWords)
	wildWords = words(`ASSERT CREATE_OBJECT_SYMBOLS CONSTRUCTORS FILL QUAD SQUAD LONG SHORT BYTE ASCIZ LINKER_VERSION
		SORT_BY_NAME SORT_BY_ALIGNMENT SORT SORT_BY_INIT_PRIORITY SORT_NONE REVERSE INPUT_SECTION_FLAGS INCLUDE AT
		HIDDEN PROVIDE PROVIDE_HIDDEN KEEP EXCLUDE_FILE`)
)

// bothWords are keywords of scripts and of expressions.
const bothWords = `ORIGIN BLOCK BIND LENGTH ALIGN DATA_SEGMENT_ALIGN DATA_SEGMENT_RELRO_END DATA_SEGMENT_END ADDR LOADADDR
	ALIGNOF ABSOLUTE MAX MIN LOG2CEIL ASSERT NEXT SIZEOF_HEADERS SEGMENT_START SIZEOF DEFINED NOCROSSREFS NOCROSSREFS_TO
	OVERLAY ONLY_IF_RO ONLY_IF_RW SPECIAL INCLUDE AT ALIGN_WITH_INPUT SUBALIGN HIDDEN PROVIDE PROVIDE_HIDDEN CONSTANT`

// mriWords begin the commands of MRI's linker, whose scripts GNU ld takes after
// -c.
var mriWords = words(`CHIP LIST ORDER END PUBLIC FORMAT SECT ALIGNMOD LOAD NAME ALIAS BASE TRUNCATE CASE START`)

func words(list string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

func isKeyword(word string, m mode) bool {
	switch m {
	case modeScript:
		return scriptWords[word]
	case modeExpr:
		return exprWords[word]
	case modeWild:
		return wildWords[word]
	case modeFiles:
		return word == "AS_NEEDED"
	}
	return false
}
