"""Words and turns of phrase with how they sound, without accents; a star stands for any ending.

Each line of a list begins with what its words weigh: from −3, as bad as it gets, to 3.
"""

from __future__ import annotations

FRENCH = """
-3 a_eviter a_fuir abject* abomina* arnaqu* atroce* catastroph* cauchemar* degout* degueul*
-3 deplorable* desastr* detest* escroc* execrable* foutage fuir furieu* fuyez honte honteu*
-3 horrible* ignoble* immonde* inacceptable* inadmissible* infect infecte intolerable* jamais_recu*
-3 lamentable* merd* minable* n_achete*_plus n_y_retourne*_pas n_y_retourne*_plus ne_command*_plus
-3 ne_retourne*_pas ne_reviend*_pas ne_reviend*_plus nul nulle nulles nullissime nuls
-3 passez_votre_chemin pire pires pitoyable* plus_jamais raciste* revolt* scandal* voleur*
-2.5 agressi* attrape_nigaud attraper_nigaud attrapes_nigauds aucun_retour aucune_nouvelle*
-2.5 aucune_reponse aux_abonnes_absents c_etait_mieux_avant chiant* contrefacon* ecoeur* en_ai_assez
-2.5 en_ai_marre et_plus_rien foutage_de_gueule indigne* insupportable* irrespect* laisse*_a_desirer
-2.5 malhonnete* mensong* menteu* mepris* n_importe_quoi parcours_du_combattant pas_a_la_hauteur
-2.5 personne_ne_repond* perte_de_temps prend_pour_des promesse*_non_tenue* ras_le_bol
-2.5 sans_nouvelle* se_fout* se_moqu* silence_radio toujours_rien usine_a_gaz vente_forcee
-2 a_la_ramasse abim* abus* agac* antipath* arrive*_raye* arrogan* attends_toujours aucun_effort
-2 aucun_gout aucun_interet aucun_suivi aucune_excuse aucune_explication bacle* ca_plante
-2 de_pire_en_pire debite*_deux_fois decept* decev* decourag* decu decue decues decus defectueu*
-2 degradation desagreable* desinvolt* desorganis* deux_fois_trop double_facturation encore_preleve*
-2 enerv* enfer est_raye* exorbitant* fonctionn*_mal fonctionn*_pas fonctionn*_plus gache* gachis
-2 galere galeres glacial* hautain* hors_de_prix impersonnel* impoli* impossible_d_avoir
-2 impossible_de_joindre incompeten* incorrect* inefficac* inexistant* inhumain* injoignable*
-2 insatisf* inutile inutiles j_aime_pas laborieu* lettre_morte m_a_trompe* m_avez_trompe*
-2 mal_accueilli* mal_emballe* mal_recu* mal_renseign* malpoli* marche*_mal marche*_pas marche*_plus
-2 mauvais mauvaise mauvaise_foi mauvaise_surprise mauvaises mecontent* mediocre* menti mort_au_bout
-2 morts_au_bout n_ai_pas_trouve_de_conseil* n_aime_pas n_est_plus_ce_que non_conforme* non_respect*
-2 non_tenu* nous_a_trompe* on_m_a_trompe* on_me_balade pas_a_l_heure pas_arrive* pas_de_reponse
-2 pas_recu* penible* perdu_confiance perdu_patience perdu_toute_confiance personne_ne peu_aimable*
-2 peu_fiable* pietre pietres plantage* plante_a plante_des plante_sans plante_souvent plante_tout
-2 plus_ce_que_c_etait plus_jamais_de_nouvelles prelev*_deux_fois prohibitif prohibitifs prohibitive
-2 publicite_mensongere regret regrets regrett* rend*_l_argent repond*_jamais repond*_pas
-2 reponse_type ridicul* s_est_degrade* sans_aucune_explication sans_effet sans_mon_accord
-2 sans_reponse se_degrade* sert_a_rien servent_a_rien silence_total surfactur* tombe*_en_panne
-2 toujours_pas tout_raye* trahi trompe_sur tromperie* trompeu* trop_cher* vice_cache
-1.5 a_ameliorer a_l_abandon a_revoir attends_encore au_bout_de_deux au_bout_de_trois
-1.5 baisse_de_qualite bof bruyant* c_est_long casse* cher chere cheres chers choix_restreint
-1.5 compte_pas couteu* decal* dechir* defaill* depuis_deux depuis_trois derange* deteriore*
-1.5 deux_fois_plus_cher dommage echec* en_est_a en_rupture en_vain endommag* erreur* exager*
-1.5 excessi* fade* fele* fissur* frein froid froide hallucinant* impossible incomplet* indifferen*
-1.5 injust* inquiet* insuffisan* j_attends_encore jamais_envoye jamais_livre* jamais_rappel*
-1.5 jamais_repondu je_change_de je_pars je_quitte je_vais_changer_de jours_plus_tard lassant*
-1.5 le_plus_cher lent lente lentes lenteur* lents les_plus_chers litige* long_a malheureusement
-1.5 manque_de meme_excuse memes_excuses ment mieux_ailleurs mieux_chez moins_bien moins_bon*
-1.5 moins_cher_ailleurs moins_cher_chez mois_plus_tard moyenne* negatif* negative* oblige_de
-1.5 obligee_de panne pannes pas_assez pas_livre* pas_normal pas_rembourse* pas_serieux perdu perdue
-1.5 perdues piege* plainte* plus_cher_qu* plus_chers_qu* plus_confiance plus_eleve* plus_le_niveau
-1.5 plus_personne plus_rapide_ailleurs prix_eleve* probleme* qualite_a_baisse qualite_baisse
-1.5 qualite_en_baisse quatrieme_fois que_des reclamation* relanc* retard* rien_ne_va rien_recu
-1.5 rouill* sale sales sans_prevenir sans_reagir semaines_plus_tard service_apres_vente_inexistant
-1.5 toujours_en_panne troisieme_fois trop_long* trop_petit* trop_tard trou troue* un_numero usurpa*
-1.5 vieilli*
-1 alors_que attente avait_promis baiss* bruit bruits bug bugs complique* confus* coupure*
-1 difficile* dur dure eleve* embete* etroit* faute fautes ferme fuite grince* incoherent*
-1 inconfort* insist* limite mal malheur* manqu* me_demande_de mort morte mortes morts moyen
-1 multiplie* oublie* pas_beaucoup_de pas_fou pas_terrible pas_top perdre peu_de_choix
-1 pourraient_etre pourrait_etre promettent promettre promis rate* relance robot sature* sav souci
-1 soucis tache* trop un_seul_conseiller vide
-0.7 aimerais aimerait annul* appels attend* attendre attendu au_lieu augmentation augmente*
-0.7 auraient_pu aurait_pu baisse ce_serait_bien change_d devraient devrait encore_une_fois hausse
-0.7 il_faudrait long longs longue longues plus_de_conseil* plus_rien plusieurs_fois prevenu
-0.7 prevenue rembours* resili* sans_plus sans_qu seraient_agreables seraient_apprecia*
-0.7 seraient_necessaire* serait_agreable serait_apprecia* serait_bien serait_necessaire
-0.7 serait_souhaitable serait_utile seulement supplement supplementaire un_peu_plus_souriant*
0 a_l_heure_actuelle a_l_heure_qu_il_est a_moins_que au_moins au_pire aussi_bien bien_a_vous
0 bien_arrive bien_cordialement bien_que_je bien_recu bien_sur bon_d_achat bon_de_commande
0 bon_de_reduction bonjour bonne_continuation bonne_fin_de bonne_journee bonne_reception
0 bonne_soiree bonnes_fetes bons_d_achat bonsoir du_moins eh_bien extra_fin extra_fine extra_large
0 extra_long extra_longue extra_small frais_de_port hate inutile_de mais_bon meilleurs_voeux
0 merci_beaucoup_d_avance merci_d_avance merci_de merci_par_avance moins_de n_hesitez_pas_a_me
0 n_hesitez_pas_a_nous non_seulement nulle_part ou_bien pas_encore_teste* pas_la_peine pas_seulement
0 plus_ou_moins s_il_vous_plait sans_aucun_doute sans_doute sans_nul_doute sans_plus_attendre
0 si_bien_que svp un_petit_peu
0.7 aide* ca_va conseil* correct correcte corrects humain* quali qualite repare* solution trop_hate
0.7 verifie*
1 amelior*_beaucoup bien cadeau clair claire claires clairs convien* dans_les_temps disponib* douce
1 doux dynamique ecoute explique fonctionne gratuit* interess* marche merci mieux offert* offerte*
1 pas_mal pas_trop_cher pas_trop_mal propre ras regle resolu* respecte* rien_a_signaler simple
1 tient_bien vite
1.2 solide*
1.5 a_l_heure a_pris_le_temps abordable* aime aimons apprecie* au_rendez_vous avant_l_heure beau
1.5 beaux bel belle belles bien_emballe* bien_explique comme_prevu confiance conforme* continuez
1.5 copieu* cosy en_avance extra facile* facilement fidele* genereu* incroyable* je_valide joli
1.5 jolie jolies jolis moins_cher* pas_cher* patience plaisir plait plu ponctuel* positif* positive*
1.5 pratique precieu* pro professionnel* pros raisonnable* rapid* rapport_qualite_prix rassur*
1.5 reactif* reactive* reactivite remerci* reussi* reviendr* rien_de_negatif sans_hesit* sauve*
1.5 savoureu* serieu* soign* tient_la_route trouve_une_solution vaut_le_coup vaut_le_detour
2 a_l_ecoute accueillant* agreable* agreablement_surpris* aimable* attentionn* au_petit_soin*
2 aucun_probleme* aucun_souci* aux_petits_soins bon bonne bonne_surprise bonnes bons chaleureu*
2 chapeau_bas chouette* cinq_etoiles comble* comblee comme_je_la_voulais comme_je_le_voulais
2 comme_neuf comme_neuve competen* confortable* conquis* content contente contentes contents
2 convivial* efficac* felicit* fiable* gentil* heureu* honnet* ideal* jamais_decu* meilleur*
2 merci_pour_tout ne_m_attendais_pas_a_un_tel ne_regrett*_pas nul_besoin pas_de_probleme*
2 pas_de_souci* plus_jamais_de_probleme* plus_jamais_de_souci* que_du_bon que_du_bonheur recommand*
2 rien_a_dire sans_faute sans_probleme* sans_souci* satisf* souriant* super sympa*
2 tiennent_leurs_promesses tient_sa_promesse top tres_bien
2.5 au_top aucun_reproche aucune_hesitation bluff* bravo coup_de_coeur coup_de_maitre enchant*
2.5 imbattable* j_adore jamais_eu_de_probleme* jamais_eu_de_souci* je_ne_changerai* les_yeux_fermes
2.5 merci_mille_fois mille_fois_merci mille_mercis n_hesite*_pas n_hesitez_pas ne_changez_rien
2.5 nickel ravi ravie ravies ravis regal* rien_a_redire rien_a_reprocher super_bien tuerie
2.5 un_enorme_merci un_grand_merci
3 ador* delicieu* divin* emerveill* excellen* exceptionnel* fabuleu* fantasti* formidable* genial*
3 geniaux impeccable* irreprochable* magnifi* merveill* parfait parfaite parfaitement parfaites
3 parfaits sublim*
"""

ENGLISH = """
-3 abysmal* appall* atrocious* avoid_at_all avoid_like avoid_them avoid_these avoid_this awful* crap
-3 crappy disaster* disgrace* disgust* dishonest* dreadful* fraud* furious* garbage hate hated
-3 horrend* horribl* incompeten* liar* lied never_again never_arrived never_came never_received
-3 nightmare* not_recommend outrag* pathetic* rip_off ripoff ripped_off robbed rubbish scam*
-3 shambles shit* shocking* stay_away steer_clear stole stolen terribl* thief thieves unacceptab*
-3 useless* vile waste_of_money worst
-2.5 angry arrogan* charged_twice cheated clueless could_not_care_less dismissive fed_up frustrat*
-2.5 ghosted had_enough_of have_had_enough hopeless i_ve_had_enough ignored let_down lets_down
-2.5 mislead* misled neglect* no_explanation not_be_back not_be_coming not_be_ordering not_be_renew*
-2.5 not_be_return* not_be_using overcharg* ridiculous ripping rude rudely rudeness run_around
-2.5 runaround sick_of still_nothing still_waiting to_be_avoided uncaring unprofessional*
-2.5 waste_of_time went_silent
-2 absurd annoy* bad badly be_bothered better_elsewhere bounced_around broke broken buggy chaos
-2 chaotic charged_me complain* crash* damaged defect* did_not_answer did_not_work dirty disapoint*
-2 disappoint* dissapoint* do_not_answer does_not_answer does_not_work double_charged downhill
-2 excuses fail failed failing fails failure* fall_apart falling_apart faulty fell_apart flimsy
-2 garbled gave_up given_up giving_up go_elsewhere going_elsewhere gone_elsewhere gone_wrong
-2 had_to_chase heard_back_from_nobody heard_nothing hearing_nothing hidden_charge* hidden_fee*
-2 hit_and_miss hung_up ignor* inadequate inappropriate* insult* joke lies mediocre messed_up
-2 miserable nasty never_answered never_called never_got never_replied never_worked never_works
-2 no_answer no_apology no_communication no_one_answers no_one_replies no_reply no_response
-2 nobody_answers nobody_replies not_answered not_answering not_arrived not_as_described
-2 not_bothered not_care not_get_through not_good_enough not_impressed not_received not_renew*
-2 not_respond* not_return* not_working not_worth nothing_like overpriced passed_around passed_from
-2 patronis* patroniz* poor poorly regret* robbery smelled smells smelly smelt still_no still_not
-2 stopped_working stops_working unaccept* unanswered undercooked unfriendly unhappy unhelpful
-2 unreliab* unresolved unsafe upset* wasted wasting went_wrong worse worthless
-1.5 abrupt* again_and_again burnt careless charged_for chased chasing could_be_better
-1.5 could_have_been_better cracked cramped cut_off days_later delay* dented dismal dull error*
-1.5 expensive fault faults fifth_time for_nothing fourth_time given_the_wrong glitch* had_to_ask
-1.5 had_to_call had_to_go_back had_to_wait hard_to impersonal inconvenien* kept_waiting lengthy
-1.5 lost mess missing mistake* mold moldy mould mouldy never_came_back never_turned no_longer_work*
-1.5 no_show no_sign_of noisy not_happy not_show_up not_turn_up nowhere on_hold out_of_stock
-1.5 outdated over_and_over overcrowded painful problem* ripped rushed rust rusty sadly
-1.5 sent_the_wrong shoddy short_changed short_staffed sloppy slow slowly smells_of smelt_of so_hard
-1.5 soggy squeal* stale stress* tasteless third_time tinny to_no_avail too_expensive too_late
-1.5 too_long too_much too_small torn unavailable uncomfort* understaffed unfair unfortunate*
-1.5 unsatisf* unwelcoming useless_to went_bust wobbly wonky wrong wrongly yet_to
-1 and_counting anxious avoid bland bot cold confus* cost_a_fortune could_have creaky cuts_out damp
-1 dear debited denied difficult* discontinued distress* dropouts drops_out ended_up excuse faded
-1 fading greasy impossible inconsisten* issue issues lack* late leak* left_me left_us left_without
-1 months_later needs_improv* no_sign not_a_lot not_even pain pricey promised queue* refused robot
-1 room_for_improvement scratch* should_have shrank shrunk sick smell sorry stain* supposed_to
-1 switching_to too twice unable unclear waited waste weak weeks_later worr*
-0.7 cancel* could_do_with had_to improve* increase* instead leaving more_quickly need_to_be
-0.7 needs_to no_longer quicker refund* should sooner times wait waiting went_up would_be_better
-0.7 would_be_good would_be_helpful would_be_nice would_help
0 a_pleasure_to_wait as_good_as as_well as_well_as at_least best_before best_regards best_way
0 best_wishes good_afternoon good_day good_evening good_luck good_morning happy_to_help how_best
0 how_well kind_enough kind_of kind_regards less_than looking_forward me_too no_doubt no_idea
0 no_less no_matter no_preference none not_only not_sure nothing_to_add pain_relief please_let
0 quite_a_while thank_you_in_advance thanks_in_advance too_soon_to warm_regards well_known
0 with_regards without_a_doubt without_any_doubt without_doubt zero_waste
0.7 care explained fair fine helped_me ok quality value works
1 as_expected better calm clear clearly early fixed fresh helped in_time informative lots_of_choice
1 no_fuss not_bad not_too_bad on_hand replaced resolve* safe saved thank thank_you thanks top treat
1 understanding warm well
1.2 relaxed sorted sweet
1.5 ahead_of_schedule always_there appreciat* as_described at_ease bargain be_back cheer* clean
1.5 comfort* cosy cozy easily easy exactly_what fast generous gentle glad honest just_what knowledg*
1.5 listened nice no_nasty on_time organised organized pleasure prompt promptly punctual quick
1.5 quickly reassur* respectful responsive smil* smooth smoothly solved straightforward stress_free
1.5 sturdy super_quick supportive thorough* trust way_better welcom* will_be_back will_return worth
2 accommodating ace attentive beautiful* best buy_again caring come_again comfy compassion*
2 courteous doddle efficien* effortless enjoy* favorite favourite friendly gem good grateful happy
2 hassle_free helpful how_it_should_be impress* keep_it_up kind kindly kindness lost_without lovely
2 never_had_a_reason no_hassle no_hesitation no_issue* no_problem* no_questions_asked no_trouble
2 no_wait no_waiting not_complain order_again pleasant pleased polite politely professional*
2 recommend* reliab* satisf* super tasty use_again well_made
2.5 bravo delicious* delight* exceeded fault_free first_class five_star* flawless* gorgeous great
2.5 hats_off keep_up_the_good_work kudos life_saver lifesaver love loved loves never_disappoint*
2.5 never_had_a_problem never_had_an_issue never_had_any_problem* never_let_me_down no_complaint*
2.5 no_fault* not_ask_for_more not_fault not_find_better nothing_but_good nothing_but_praise
2.5 nothing_to_complain seamless* spot_on stunning well_done
3 above_and_beyond amazing* awesome brilliant* could_not_ask_for_more could_not_be_better
3 could_not_be_happier excellen* exceptional* exemplary fabulous* fantastic* hard_to_fault incredib*
3 marvel* not_recommend_enough not_recommend_her_enough not_recommend_him_enough
3 not_recommend_it_enough not_recommend_them_enough not_recommend_this_enough
3 not_recommend_you_enough not_thank_her_enough not_thank_him_enough not_thank_them_enough
3 not_thank_you_enough nothing_was_too_much_trouble outstanding* perfect perfectly second_to_none
3 superb* terrific top_notch wonderful* worth_every_penny
"""

SIGNS = {
    2.0: "😀😃😄😁😊🙂😍🥰😘🤩😻👍❤💕💖🔥👏🎉🥳💯🙌",
    -2.0: "😡😠🤬👎😞😢😭💩🤮🙄😤☹🙁😒😖😩🤦",
}
"""Pictures, by what they weigh."""

FUNCTION_WORDS = {
    "fr": """au aux avec c ce ces cette d dans de des du elle en est et ete etait il ils j je l la
        le les leur ma mais me mes mon n ne nous on ont ou par pas pour qu que qui sa se ses si son
        suis sur tres un une vos votre vous y""",
    "en": """about and are as at be been but by can did do for from had has have he her his i in is
        it me my not of on or our she so that the their them they this to us was we were what when
        which will with you your very""",
}
"""Short words that tell in which language a text is."""

NEGATIONS = {
    "fr": "ne n pas non jamais aucun aucune rien sans ni guere peu moins",
    "en": "not no never without nobody none neither nor hardly nothing less",
}
STRONGER = {
    "fr": """tres vraiment tellement si hyper ultra extremement totalement completement franchement
        on_ne_peut_plus jamais_ete_aussi jamais_eu_un_aussi""",
    "en": """very really so extremely absolutely totally completely incredibly highly truly utterly
        could_not_be_more could_not_have_been_more never_been_so never_been_more never_had_such""",
}
WEAKER = {
    "fr": "un_peu assez plutot parfois quelques",
    "en": "slightly a_bit a_little somewhat fairly rather quite sometimes occasionally",
}
TURNS = {
    "fr": "mais cependant pourtant toutefois par_contre en_revanche sauf hormis",
    "en": "but however except apart_from only_downside",
}
"""What comes after them weighs more than what came before."""
CONCESSIONS = {
    "fr": "malgre bien_que meme_si en_depit",
    "en": "despite although even_though in_spite_of though",
}
"""What follows them, up to the next comma, is granted rather than said."""
REPROACHES = {
    "fr": "pourquoi toujours encore",
    "en": "why still again",
}
"""With them a question is none that wants to know something."""
