"""Words that mean something of their own, and the names parameters get beside them."""

from __future__ import annotations

from collections.abc import Iterable

from ..names import name

__all__ = ["VERILOG_AMS", "parameter_names"]

_SPICE = """
abs acos asin atan be boltz c ceil cos cosh e echarge exp false floor freq gauss gmin hertz i
if int kelvin l limit ln log m max min nint no params pi planck pow pwr reltol s scale sgn sign
sin sinh sqrt table tan tanh te temp temper time true u v vm vol vt w x x0 xs yes
"""
# Of the languages' dialects together, and of the text of a device's subcircuit.

_VERILOG_AMS = """
above absdelay abstol access ac_stim aliasparam always analog analysis and assert assign
automatic begin branch buf bufif0 bufif1 case casex casez cell cmos config connect
connectmodule connectrules continuous cross ddt ddt_nature ddx deassign default defparam design
disable discipline discrete domain driver_update edge else end endcase endconfig
endconnectrules enddiscipline endfunction endgenerate endmodule endnature endparamset
endprimitive endspecify endtable endtask event exclude final_step flicker_noise flow for force
forever fork from function generate genvar ground highz0 highz1 idt idt_nature idtmod ifnone
incdir include inf infinite initial initial_step inout input instance integer join laplace_nd
laplace_np laplace_zd laplace_zp large last_crossing liblist library limexp localparam
macromodule medium merged module nand nature negedge net_resolution nmos noise_table
noise_table_log nor noshowcancelled not notif0 notif1 or output parameter paramset pmos posedge
potential primitive pull0 pull1 pulldown pullup pulsestyle_onevent pulsestyle_ondetect rcmos
real realtime reg release repeat resolveto rnmos rpmos rtran rtranif0 rtranif1 scalared
showcancelled signed slew small specify specparam split string strong0 strong1 supply0 supply1
task timer tran tranif0 tranif1 transition tri tri0 tri1 triand trior trireg units unsigned use
uwire vectored wait wand weak0 weak1 while white_noise wire wor wreal xnor xor zi_nd zi_np
zi_zd zi_zp electrical voltage current
"""

_TAKEN = frozenset(_SPICE.split())

VERILOG_AMS = frozenset(_VERILOG_AMS.split())
"""Words of Verilog-AMS (LRM 2.4, annex B), and of the discipline used."""


def parameter_names(fields: Iterable[str]) -> dict[str, str]:
    """Return the name in a netlist of each parameter of a model.

    Netlists know no upper case, and some words are taken; such parameters get another name.
    """
    given: dict[str, str] = {}
    for field in fields:
        safe = base = name(field, "p")
        count = 1
        while safe in _TAKEN or safe in given.values():
            count += 1
            safe = f"{base[:50]}_p{count if count > 2 else ''}"
        given[field] = safe
    return given
