Creator	"yFiles"
graph [ hierarchic 1 label "" directed 1
 node [ id 0 label "one" graphics [ x 10.0 y 20.0 type "rectangle" ] LabelGraphics [ text "one" ] ]
 node [ id 1 label "two" ]
 edge [ source 0 target 1 label "1GbE" graphics [ fill "#000000" Line [ point [ x 1.0 y 2.0 ] point [ x 3.0 y 4.0 ] ] ] ]
]
