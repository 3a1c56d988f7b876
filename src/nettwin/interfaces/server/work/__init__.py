"""Work: what jobs do, in processes of their own: a Work in, a document out.

networks    files read and written       questions    predict, whatif, failures, explain
searches    plans looked for             plans        plans judged again
labs        attempts at training labs
capacity    run-out dates, upgrades          troubleshooting  causes of what was measured
intents     checked and reported         warm         what a fresh process loads first
"""
