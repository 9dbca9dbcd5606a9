package pickle

// The opcodes of protocols 0 to 5, named as in CPython's pickle module.
const (
	opMark            = '('
	opStop            = '.'
	opPop             = '0'
	opPopMark         = '1'
	opDup             = '2'
	opFloat           = 'F'
	opInt             = 'I'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opLong            = 'L'
	opBinInt2         = 'M'
	opNone            = 'N'
	opPersID          = 'P'
	opBinPersID       = 'Q'
	opReduce          = 'R'
	opString          = 'S'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opUnicode         = 'V'
	opBinUnicode      = 'X'
	opAppend          = 'a'
	opBuild           = 'b'
	opGlobal          = 'c'
	opDict            = 'd'
	opEmptyDict       = '}'
	opAppends         = 'e'
	opGet             = 'g'
	opBinGet          = 'h'
	opInst            = 'i'
	opLongBinGet      = 'j'
	opList            = 'l'
	opEmptyList       = ']'
	opObj             = 'o'
	opPut             = 'p'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opEmptyTuple      = ')'
	opSetItems        = 'u'
	opBinFloat        = 'G'
	opProto           = 0x80
	opNewObj          = 0x81
	opExt1            = 0x82
	opExt2            = 0x83
	opExt4            = 0x84
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opNewObjEx        = 0x92
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
	opByteArray8      = 0x96
	opNextBuffer      = 0x97
	opReadOnlyBuffer  = 0x98
)

// ops are the actions of the opcodes. STOP is the loop's.
var ops = [256]func(*machine) error{
	opMark: (*machine).mark, opPop: (*machine).opPop, opPopMark: (*machine).opPopMark, opDup: (*machine).dup,
	opFloat: (*machine).textFloat, opInt: (*machine).textInt, opLong: (*machine).textLong, opString: (*machine).textString,
	opUnicode: (*machine).textUnicode,
	opBinInt:  (*machine).binInt, opBinInt1: (*machine).binInt1, opBinInt2: (*machine).binInt2,
	opLong1: (*machine).long1, opLong4: (*machine).long4, opBinFloat: (*machine).binFloat,
	opNone: (*machine).none, opNewTrue: (*machine).true, opNewFalse: (*machine).false,
	opBinString: (*machine).binString, opShortBinString: (*machine).shortBinString,
	opShortBinUnicode: (*machine).str1, opBinUnicode: (*machine).str4, opBinUnicode8: (*machine).str8,
	opShortBinBytes: (*machine).bytes1, opBinBytes: (*machine).bytes4, opBinBytes8: (*machine).bytes8,
	opByteArray8: (*machine).byteArray8,
	opEmptyList:  (*machine).emptyList, opList: (*machine).list, opAppend: (*machine).append1, opAppends: (*machine).appends,
	opEmptyTuple: (*machine).emptyTuple, opTuple: (*machine).tuple, opTuple1: (*machine).tuple1,
	opTuple2: (*machine).tuple2, opTuple3: (*machine).tuple3,
	opEmptyDict: (*machine).emptyDict, opDict: (*machine).dict, opSetItem: (*machine).setItem, opSetItems: (*machine).setItems,
	opEmptySet: (*machine).emptySet, opAddItems: (*machine).addItems, opFrozenSet: (*machine).frozenSet,
	opGet: (*machine).textGet, opBinGet: (*machine).binGet, opLongBinGet: (*machine).longBinGet,
	opPut: (*machine).textPut, opBinPut: (*machine).binPut, opLongBinPut: (*machine).longBinPut, opMemoize: (*machine).memoize,
	opGlobal: (*machine).textGlobal, opStackGlobal: (*machine).stackGlobal,
	opReduce: (*machine).reduce, opNewObj: (*machine).newObj, opNewObjEx: (*machine).newObjEx,
	opInst: (*machine).inst, opObj: (*machine).obj, opBuild: (*machine).opBuild,
	opProto: (*machine).protocol, opFrame: (*machine).frame,
	opPersID: (*machine).persistent, opBinPersID: (*machine).persistent,
	opExt1: (*machine).extension, opExt2: (*machine).extension, opExt4: (*machine).extension,
	opNextBuffer: (*machine).outOfBand, opReadOnlyBuffer: (*machine).outOfBand,
}
