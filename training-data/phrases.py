#!/usr/bin/env python3
"""Writes phrases.jsonl: short texts that hold an insult, a threat or an attack on a group, and the same sentences without.

usage: phrases.py > phrases.jsonl

Comment sections hold more ways to call somebody names than any corpus of a few thousand comments does. The words and the sentences were
written for this project; each sentence is also filled with words that demean nobody, so that the sentence does not decide. Sentences
of the functional tests (functional/hard-cases.toml) are not among them. Standard library only; the draw is seeded.
"""
import json, random

INSULTS = """airhead|arsehole|ass|asshat|asshole|assclown|backstabber|baboon|barbarian|bastard|beggar|bigot|bigmouth|birdbrain|blabbermouth|blockhead|blowhard|
boor|bootlicker|bozo|brat|brute|buffoon|bully|bum|charlatan|cheat|chickenhead|chump|clod|clot|clown|cockroach|con artist|con man|coward|crackpot|creep|cretin|cretinous fool|
crook|crybaby|cur|degenerate|deadbeat|dick|dickhead|dimbulb|dimwit|dingbat|dipstick|dirtbag|dolt|donkey|doofus|dope|dork|douche|douchebag|drip|drongo|dullard|dumbass|dumbo|
dummy|dunce|dunderhead|dweeb|egomaniac|fathead|flake|fool|fossil|fraud|freak|freeloader|fruitcake|fuckwit|fuckface|galoot|gasbag|git|goblin|goof|goon|gorilla|greaseball|
grifter|guttersnipe|hack|halfwit|has-been|hooligan|hypocrite|idiot|ignoramus|imbecile|ingrate|jackass|jellyfish|jerk|jerkoff|joke of a man|kleptomaniac|knave|knobhead|knucklehead|
lackey|laughing stock|layabout|leech|liar|lickspittle|lightweight|loser|loudmouth|lout|lowlife|lunatic|maggot|maniac|meathead|mental case|miscreant|mongrel|moron|motormouth|muppet|
mutt|narcissist|neanderthal|nincompoop|ninny|nitwit|nobody|no-hoper|numbskull|numpty|nutcase|nutjob|oaf|oik|old bag|old fart|parasite|pea-brain|pest|phony|pig|pigeon-brain|pillock|
pinhead|pipsqueak|plank|plonker|pompous windbag|poser|prat|prick|psycho|quack|rascal|rat|reprobate|reptile|sack of shit|sad sack|saddo|savage|scoundrel|scrounger|scum|scumbag|
shitbag|shithead|shyster|simpleton|skunk|slacker|slimeball|slob|sleazebag|snake|sneak|snob|snowflake|sod|spoilt brat|squealer|stooge|sucker|swine|sycophant|thickhead|thief|thug|
tightwad|tit|toad|toady|toerag|tosser|tramp|traitor|troglodyte|troll|turd|turncoat|twat|twerp|twit|upstart|vandal|varmint|vermin|village idiot|vulture|wally|wanker|wannabe|
warmonger|washed-up hack|waste of space|waste of oxygen|weakling|weasel|weirdo|whiner|wimp|windbag|wombat brain|worm|wretch|yahoo|yob|zealot"""
NASTY = """abysmal|arrogant|asinine|backward|bigoted|bloated|boneheaded|brain-dead|brainless|callous|clueless|contemptible|corrupt|cowardly|craven|cretinous|
crooked|deceitful|degenerate|delusional|demented|despicable|dim|dim-witted|disgraceful|disgusting|dishonest|dopey|dumb|evil|fat|filthy|foolish|foul|foul-mouthed|goddamn|good-for-nothing|
gormless|greedy|grubby|gullible|gutless|half-witted|hateful|heartless|hopeless|hypocritical|idiotic|ignorant|illiterate|imbecilic|incompetent|inane|inept|infantile|insufferable|lazy|loathsome|
lousy|lying|malicious|mindless|miserable|moronic|nasty|nauseating|obnoxious|odious|pathetic|petty|pig-headed|pompous|puerile|repulsive|revolting|ridiculous|rotten|sad|self-important|
self-righteous|selfish|senile|shameless|sick|simple-minded|sleazy|slimy|slow|smug|snivelling|sorry little|spineless|spiteful|stinking|stuck-up|stupid|thick|thick-headed|toothless|treacherous|twisted|ugly|
unhinged|useless|vain|vapid|venal|vile|vicious|weak|whining|witless|worthless|wretched"""
PEOPLE = """teacher|nurse|bus driver|neighbour|gardener|cyclist|councillor|goalkeeper|student|grandmother|plumber|baker|reader|journalist|librarian|captain|
accountant|farmer|painter|tenant|shopkeeper|mechanic|editor|choir leader|volunteer|postman|engineer|fisherman|sister|cook|translator|walker|drummer|carpenter|new striker|physicist|optician|caretaker|
referee|school friend|candidate|roofer|lodger|surveyor|train guard|violinist|midwife|foreman|hairdresser|lifeguard"""
KIND = """kind|quiet|patient|tall|retired|friendly|careful|young|busy|good|cheerful|local|honest|tired|clever|well-read|generous|funny|polite|brave|gifted|helpful|punctual|decent|modest|old|Scottish|new|
thoughtful|stubborn|experienced|warm-hearted"""
AT_PEOPLE = """What a {n}.|what {a} {j} {n}|{n}!|Stop being such {a} {n}.|That {n} again.|He is nothing but {a} {j} {n}.|typical {n}|you {j} {n}|you {n}|Go home, {n}.|I have never met such {a} {j} {n}.|
Listen to this {n}.|Our mayor, {a} {n} if ever there was one.|She is {a} {n} and everybody knows it.|they sent some {j} {n}|Whoever came up with this is {a} {j} {n}.|Another {n} with an opinion.|Sit down, {n}.|
how can one man be such {a} {n}|Says the {n} who cannot spell.|The minister? {J} {n}.|a {n} like him in charge, wonderful|Ignore her, she's just {a} {n}.|And you, {n}, keep quiet.|Spoken like a true {n}.|
You sound like {a} {j} {n}.|Get lost, you {n}.|What did you expect of this {j} {n}?|this guy is {a} {n}|only {a} {j} {n} believes that"""
AT_NOBODY = """What a {n}.|what {a} {j} {n}|{n}!|That {n} again.|He is {a} {j} {n}.|typical {n}|You are {a} {n} too, then?|Go home, {n}, and rest.|I have never met such {a} {j} {n}.|Listen to this {n}, it is worth it.|
Our mayor was {a} {n} before.|She is {a} {n} and everybody knows her.|they sent some {j} {n}|Whoever came up with this is {a} {j} {n}.|Another {n} with an opinion, good.|Sit down, the {n} is next.|
The minister? {J} {n}, I believe.|a {n} like him in charge, wonderful|Ask her, she's {a} {n}.|And you, {n}, thank you.|Spoken like a true {n}.|You sound like {a} {j} {n}.|Thanks, you {j} {n}.|
What did you expect of this {j} {n}?|this guy is {a} {n}|any {j} {n} knows that"""
SELF = """I am such {a} {n}, sorry.|God, I felt like {a} {n}.|call me {a} {n} but I like it|My sister calls me {a} {n} and she is right.|He is no {n}.|Nobody is {a} {n} for asking.|She never called you {a} {n}."""
HARM = """batter|beat|behead|bludgeon|burn|bury|butcher|castrate|choke|cripple|crucify|crush|decapitate|destroy|drown|electrocute|execute|flog|gas|gut|hang|hit|hunt|hurt|impale|jump|kick|kill|knife|lynch|
maim|mangle|murder|poison|pulverise|punch|run down|scalp|shoot|skin|slap|slaughter|slice up|smash|smother|snuff out|stab|stomp|stone|strangle|strike down|strip and whip|suffocate|thrash|throttle|torch|torture|whip|wring"""
HARMED = """battered|beaten|beheaded|burned alive|buried|castrated|choked|crucified|crushed|drowned|executed|flogged|gassed|gutted|hanged|hunted down|hurt|impaled|kicked to death|killed|knifed|lynched|maimed|murdered|poisoned|punched|
put against a wall|put down|run over|shot|skinned|slapped|slaughtered|stabbed|stoned|strangled|strung up|tarred and feathered|thrown off a bridge|tortured|whipped"""
WISHES = """die|die screaming|drop dead|get cancer|get hit by a bus|burn in a fire|bleed out|choke on your dinner|never wake up|rot in the ground|lose your teeth|crash your car|get what's coming, a bullet|suffer for years|lose everyone you love|drown"""
THREATS = """I'll {v} you|gonna {v} you for that|we are going to {v} that man|one day someone is going to {v} you|I swear I will {v} him|try it and we {v} you|keep talking and I {v} you|let's {v} them all|If I see you I {v} you on the spot.|My brothers will {v} you."""
DESERVE = """You should be {p}.|people like you deserve to be {p}|he ought to be {p} in public|they want to be {p}, so be it|The whole council should be {p}.|soon you will be {p}, wait and see|her kind gets {p} where I come from"""
WISH = """I hope you {w}.|hope they all {w}|may you {w}|please {w}|Do us a favour and {w}."""
NO_HARM = """I'll {v} you|gonna {v} you for that|we are going to {v} that man|one day someone is going to {v} you|I swear I will {v} him|try it and we {v} you|My brothers will {v} you.|let's {v} them all"""
DO = """call|thank|email|visit|teach|join|vote for|invite|miss|answer|help|outvote|support|correct|quote|follow|meet|pay|remind|ask|show|lend a hand to|write to|congratulate|refund|back|believe|beat at chess|overtake"""
NEWS = """Two men were {p} in the attack, police said.|The prisoners were {p} by the militia, according to the report.|In 1944 the villagers were {p}.|The film opens with a man being {p}.|She testified that her uncle was {p}.|
Nobody was {p}, thank God.|The court heard that he had been {p}.|the army says no hostage was {p}|In the novel the king is {p}.|He said he had been threatened with being {p}."""
GROUPS = """Muslims|Jews|Christians|Catholics|Hindus|Sikhs|Buddhists|atheists|Arabs|Turks|Kurds|Poles|Romanians|Bulgarians|Albanians|Serbs|Russians|Ukrainians|Germans|French people|Italians|Greeks|Irish people|Scots|Americans|Mexicans|
Puerto Ricans|Cubans|Colombians|Brazilians|Nigerians|Somalis|Ethiopians|Moroccans|Algerians|Egyptians|Syrians|Iraqis|Iranians|Afghans|Pakistanis|Indians|Bangladeshis|Chinese people|Koreans|Japanese people|Vietnamese people|
Filipinos|Africans|Asians|Black people|white people|Latinos|Roma|Travellers|immigrants|migrants|refugees|asylum seekers|foreigners|gay people|gays|lesbians|trans people|trans women|bisexuals|women|girls|men|feminists|
disabled people|deaf people|blind people|wheelchair users|autistic people|people with Down syndrome|fat people|old people|homeless people|Israelis|Palestinians"""
VILE = """animals|apes|bandits|barbarians|beasts|cockroaches|criminals|cowards|dirt|diseased|dogs|drug dealers|evil|filth|filthy|fleas|freaks|garbage|goat herders|human waste|idiots|inbred|inferior|invaders|leeches|liars|lice|
locusts|low-IQ|maggots|mentally ill|monkeys|monsters|murderers|parasites|perverts|pests|pigs|poison|predators|primitive|rapists|rats|retarded|savages|scum|scroungers|sick in the head|snakes|spongers|stupid|subhuman|terrorists|
thieves|trash|traitors|ugly|unclean|uncivilised|useless|vermin|violent by nature|whores|worthless"""
NICE = """my neighbours|taxpayers|members of the choir|on strike too|in the film|quoted in the article|welcome|voters|as tired as the rest of us|under pressure in the region|mentioned twice|people like you and me|in the government|the majority there|
at the protest|celebrating this week|parents|nurses and drivers here|divided on this|well represented in the council|over there since 1950|asked about it too rarely|my in-laws|in every party|good at chess and bad at parking, like everybody|
customers of ours|the victims here|not the subject of the article|rightly angry|among the volunteers"""
VILIFY = """these {g} are nothing but {s}|{g}? {s}, the lot of them|Get rid of all {g}, they're {s}.|never trust {g}|{g} go home|no {g} in my town please|send all {g} back where they came from|I hate {g}.|{G} will always be {s}.|everyone knows {g} are {s}|
It is in the blood of {g}: {s}.|Ban {g}. They are {s}.|We have too many {g} here and they breed.|{G} ruin every place they come to.|why do {g} always behave like {s}|put the {g} on a boat and sink it|normal people don't want {g} near their children|
{G} do not belong here.|the problem with this country is {g}|{g} are all {s} and you know it|{G}, {s} as ever.|No wonder, {g} are {s} by birth.|{G} are a curse on this city."""
SPARE = """these {g} are {s}|{g}? They are {s}.|Ask {g} about it, they're {s}.|most {g} I know are {s}|{g} live here too|there are {g} in my town|many {g} went back after the war|I work with {g}.|{G} were {s}.|everyone knows {g} who are {s}|
It matters to {g}, who are {s}.|The law speaks of {g}.|We have {g} in our street and they cook very well.|{G} built half of this city.|why should {g} pay for it|the {g} on the boat were rescued|normal people don't mind {g}|{G} belong here.|
the report counts {g} apart|{g} are {s}, says the survey|{G}, {s}, have lived here for ages.|The bill protects {g}.|My grandparents were {g}."""


def words(text):
    return [word for word in text.replace("\n", "").split("|") if word]


def filled(frame, **fill):
    out = frame
    if "n" in fill:
        first = fill.get("j") if "{a} {j}" in frame else fill["n"]
        out = out.replace("{a}", "an" if first[0].lower() in "aeiou" else "a")
        out = out.replace("{J}", fill.get("j", "").capitalize())
    if "g" in fill:
        out = out.replace("{G}", fill["g"][0].upper() + fill["g"][1:])
    for key, value in fill.items():
        out = out.replace("{" + key + "}", value)
    return out


def main():
    draw = random.Random(7)
    rows = {}

    def add(text, **labels):
        rows.setdefault(text, {"text": text, "labels": labels})

    swears = ("fuck", "shit", "dick", "prick", "twat", "wank", "arse", "asshole", "ass", "turd", "tit", "bastard", "tosser", "knob", "goddamn")
    civil = dict.fromkeys(("incivility", "toxicity", "insult", "threat", "identity_attack", "attack_on_commenter"), 0)
    at_people, at_nobody, alone = words(AT_PEOPLE), words(AT_NOBODY), words(SELF)
    for noun in words(INSULTS):
        for frame in draw.sample(at_people, 4):
            text = filled(frame, n=noun, j=draw.choice(words(NASTY)))
            dirty = int(any(swear in text.lower() for swear in swears))
            at_you = {"attack_on_commenter": 1} if any(mark in frame for mark in ("you ", "You ", "Sit down", "Go home", "Says the", "Spoken like")) else {}
            add(text, incivility=1, toxicity=1, insult=1, threat=0, identity_attack=0, profanity=dirty, **at_you)
        add(filled(draw.choice(alone), n=noun), incivility=0, insult=0, attack_on_commenter=0, threat=0, identity_attack=0)
    for adjective in words(NASTY):
        add(f"you are {adjective}", incivility=1, toxicity=1, insult=1, attack_on_commenter=1, threat=0)
        add(f"how {adjective} can a person be", incivility=1, toxicity=1, insult=1, threat=0)
    for noun in words(PEOPLE):
        for frame in draw.sample(at_nobody, 14):
            add(filled(frame, n=noun, j=draw.choice(words(KIND))), **civil, profanity=0)
    for adjective in words(KIND):
        add(f"you are {adjective}", **civil, profanity=0)
        add(f"how {adjective} can a person be", **civil, profanity=0)
    violent = {"incivility": 1, "toxicity": 1, "threat": 1, "identity_attack": 0}
    for verb in words(HARM):
        for frame in draw.sample(words(THREATS), 5):
            add(filled(frame, v=verb), **violent)
    for participle in words(HARMED):
        for frame in draw.sample(words(DESERVE), 4):
            add(filled(frame, p=participle), **violent)
        for frame in draw.sample(words(NEWS), 5):
            add(filled(frame, p=participle), **civil, profanity=0)
    for wish in words(WISHES):
        for frame in words(WISH):
            add(filled(frame, w=wish), **violent)
    for verb in words(DO):
        for frame in words(NO_HARM):
            add(filled(frame, v=verb), **civil, profanity=0)
    for group in words(GROUPS):
        for frame in draw.sample(words(VILIFY), 9):
            add(filled(frame, g=group, s=draw.choice(words(VILE))), incivility=1, toxicity=1, identity_attack=1, threat=0)
        for frame in draw.sample(words(SPARE), 10):
            add(filled(frame, g=group, s=draw.choice(words(NICE))), **civil, profanity=0)
    for row in rows.values():
        print(json.dumps(row, ensure_ascii=False))


main()
