# local exec, which only executables have
	.text
	add	x0, x0, :tprel_hi12:var
	add	x0, x0, :tprel_lo12_nc:var
	add	x0, x0, :tprel_lo12:var
	ldr	x0, [x0, :tprel_lo12:var]
	ldrh	w0, [x0, :tprel_lo12_nc:var]
	movz	x0, #:tprel_g1:var
	movk	x0, #:tprel_g0_nc:var
	movz	x0, #:tprel_g2:var
